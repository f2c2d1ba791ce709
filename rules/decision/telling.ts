import { type StoredRule, writtenId } from '../vocabulary/index.js';

/**
 * How much of a rule is told. An organization sees its own; that a rule of the installation concerns its CPEs it sees by what becomes of
 * these, and so is told that there is one, but neither what it is called in a sentence nor what it says.
 */
export interface Telling {
  /** Whether all of it is told. */
  isTold(rule: StoredRule): boolean;
  /** The rule within a sentence. */
  name(rule: StoredRule): string;
}

/** @param organization  who asks; undefined: the installation, which is told all */
export function tellingTo(organization: string | undefined): Telling {
  const isTold = (rule: StoredRule) => organization === undefined || rule.organization === organization;
  return {
    isTold,
    name(rule) {
      if (!isTold(rule)) return 'a rule of the installation';
      const id = JSON.stringify(writtenId(rule.id));
      // Of one CPE there are the installation's rules and those of one organization.
      return rule.organization === undefined || rule.organization === organization
        ? id
        : `${id} of its organization`;
    },
  };
}

/** As a sentence begins. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
