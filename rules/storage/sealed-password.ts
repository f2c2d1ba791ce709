import { fileServerOf, type Secrets } from '../../common/index.js';
import { PASSWORD_KEPT, type Rule, type StoredRule } from '../vocabulary/index.js';

/** What seals passwords and opens them. */
export type Sealing = Pick<Secrets, 'seal' | 'open'>;

/**
 * A rule's password as it goes into the store. The same one as before stays sealed as it is, so that saying it again is no edit; and
 * {@link PASSWORD_KEPT} keeps the one that is there.
 */
export function sealedPasswordOf(
  password: string | undefined,
  before: StoredRule | null,
  sealing: Sealing,
): Pick<StoredRule, 'sealedPassword'> {
  if (password === undefined) return {};
  const kept = before?.sealedPassword;
  if (kept !== undefined && (password === PASSWORD_KEPT || sealing.open(kept) === password)) {
    return { sealedPassword: kept };
  }
  return { sealedPassword: sealing.seal(password) };
}

/**
 * Why the password that is stored cannot be kept: there is none, or it was given for another server, whoever edits the rule now.
 * @returns what should be there instead; null where it can be kept, or another one is given
 */
export function keepingRefused(
  rule: Pick<Rule, 'file' | 'password'>,
  before: StoredRule | null,
): string | null {
  if (rule.password !== PASSWORD_KEPT) return null;
  if (before?.sealedPassword === undefined) {
    return `the password itself: ${PASSWORD_KEPT} keeps one that is stored, and there is none`;
  }
  return fileServerOf(rule.file) === fileServerOf(before.file)
    ? null
    : `the password itself: the one that is stored was given for ${fileServerOf(before.file)}`;
}
