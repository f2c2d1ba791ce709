import type { Clock, RuleId } from '../../common/index.js';
import type { Revision } from '../../store/index.js';
import type { ConditionCompiler } from '../condition/index.js';
import { type Candidate, candidateOf } from '../fleet/index.js';
import {
  ofOrganization,
  problemsAgainst,
  readMany,
  refuseOwned,
  type Sealing,
  type Tables,
  toStored,
  withoutPath,
} from '../storage/index.js';
import type { RuleValidator } from '../validation/index.js';
import { InvalidRuleError, UnknownRuleError, writtenId } from '../vocabulary/index.js';

/** Nothing is committed on the strength of a draft, so that no revision is ever compared with this one. */
const NOT_STORED = 0 as Revision;

/** Rules taken up to be looked at, whether they are stored or not. */
export interface Drafts {
  /**
   * A rule as its author would post it, the way it would be stored now.
   * @param organization  of which it would be; undefined: of the installation
   * @throws InvalidRuleError, RuleConflictError (it would take the place of one that has an owner)
   */
  take(body: unknown, organization?: string): Promise<Candidate>;
  /** @throws UnknownRuleError naming every one that is not stored */
  stored(ids: readonly RuleId[]): Promise<readonly Candidate[]>;
}

export function createDrafts(parts: {
  readonly tables: Tables;
  readonly validator: RuleValidator;
  readonly compiler: ConditionCompiler;
  readonly sealing: Sealing;
  readonly clock: Clock;
}): Drafts {
  const { tables, validator, compiler, sealing, clock } = parts;
  return {
    async take(body, organization) {
      const validation = ofOrganization(validator.validate(body), organization);
      if (!validation.valid) throw new InvalidRuleError(validation.problems.map(withoutPath));
      const { value } = validation;
      const { id, author = '' } = value.rule;
      const [before, restarted] = await Promise.all([tables.rules.get(id), tables.restarts.get(id)]);
      if (before !== null) refuseOwned(before.document);
      const problems = problemsAgainst(value, before?.document ?? null);
      if (problems.length > 0) throw new InvalidRuleError(problems.map(withoutPath));
      const rule = toStored(value, before?.document ?? null, {
        author: author || (before?.document.author ?? ''),
        restarts: before?.document.restarts ?? restarted?.document.restarts ?? 0,
        nowMs: clock(),
        sealing,
      });
      return candidateOf(rule, before?.revision ?? NOT_STORED, compiler);
    },
    async stored(ids) {
      const wanted = [...new Set(ids)];
      const found = await readMany(tables.rules, wanted);
      const unknown = wanted.filter((_, index) => (found[index] ?? null) === null);
      if (unknown.length > 0) throw new UnknownRuleError(unknown.map((id) => writtenId(id) as RuleId));
      return found
        .filter((stored) => stored !== null)
        .map(({ document, revision }) => candidateOf(document, revision, compiler));
    },
  };
}
