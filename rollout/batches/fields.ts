import { epochMsOf } from '../../common/index.js';
import type { RuleProblem, Rules } from '../../rules/index.js';
import type { Batch } from './batch.js';
import {
  BATCH_NAME_CHARACTERS_MAX,
  BATCH_NOTE_CHARACTERS_MAX,
  BatchError,
  type NewBatch,
} from './batches.js';

/** Ten a second are thirty-six thousand an hour, and no burden to anybody. */
const WAKE_PER_SECOND = 10;
export const WAKE_PER_SECOND_MAX = 1_000;
const OPTIONS_MAX = 32;
const OPTION_NAME_CHARACTERS_MAX = 64;
/** No control, format, private or unassigned characters, no halves of a surrogate pair, no line separators. */
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;

/** The same with tabs and ends of lines. */
const NOTE = /^[^\p{C}\p{Zl}\p{Zp}]*(?:[\t\n\r][^\p{C}\p{Zl}\p{Zp}]*)*$/u;

/** What is stored of what somebody says of a new batch. */
export type BatchFields = Pick<
  Batch,
  | 'name'
  | 'notBefore'
  | 'notAfter'
  | 'persistent'
  | 'limits'
  | 'priority'
  | 'wakePerSecond'
  | 'options'
  | 'through'
  | 'note'
>;

/**
 * What is said of a new batch, with the defaults filled in. What its rules have too is held to what holds of rules.
 * @throws BatchError `invalid`
 */
export async function batchFields(
  said: NewBatch,
  { rules, nowMs }: { readonly rules: Pick<Rules, 'check'>; readonly nowMs: number },
): Promise<BatchFields> {
  const { name, persistent = true, wakePerSecond = WAKE_PER_SECOND, options = {}, limits, whom } = said;
  const { through, note } = said;
  requireName(name);
  requireNote(note);
  if (!(wakePerSecond >= 0 && wakePerSecond <= WAKE_PER_SECOND_MAX))
    throw invalid('wakePerSecond', `how many waiting CPEs a second are called, 0 to ${WAKE_PER_SECOND_MAX}`);
  requireOptions(options);
  if (limits !== undefined && whom.kind !== 'condition')
    throw invalid('limits', 'left out: only a batch by condition has limits, as all of it is one rule');
  const { notBefore, notAfter, priority = 0 } = said;
  await requireRule(said, rules);
  if (notAfter !== undefined && (epochMsOf(notAfter) ?? nowMs) <= nowMs)
    throw invalid('notAfter', 'a time that is not over');
  return {
    name,
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
    persistent,
    ...(limits !== undefined && { limits }),
    priority,
    wakePerSecond,
    options: { ...options },
    ...(through !== undefined && { through }),
    ...(note !== undefined && { note }),
  };
}

function requireName(name: string): void {
  const isName = name.length <= BATCH_NAME_CHARACTERS_MAX && PRINTABLE.test(name) && name === name.trim();
  if (isName) return;
  throw invalid('name', `1 to ${BATCH_NAME_CHARACTERS_MAX} printable characters without space at either end`);
}

function requireNote(note: string | undefined): void {
  if (note === undefined || (note.length <= BATCH_NOTE_CHARACTERS_MAX && NOTE.test(note))) return;
  throw invalid('note', `at most ${BATCH_NOTE_CHARACTERS_MAX} printable characters, in any number of lines`);
}

function requireOptions(options: Readonly<Record<string, boolean>>): void {
  const names = Object.keys(options);
  const areNames = names.every((name) => name.length <= OPTION_NAME_CHARACTERS_MAX && PRINTABLE.test(name));
  if (names.length <= OPTIONS_MAX && areNames) return;
  throw invalid(
    'options',
    `at most ${OPTIONS_MAX}, each with a name of 1 to ${OPTION_NAME_CHARACTERS_MAX} printable characters`,
  );
}

/** Such a rule as its own, but for what it is not told of yet. */
async function requireRule(
  { notBefore, notAfter, priority = 0, limits, whom, organization }: NewBatch,
  rules: Pick<Rules, 'check'>,
): Promise<void> {
  const body = {
    id: 'r',
    file: 'image.bin',
    condition: whom.kind === 'condition' ? whom.condition : { productClass: 'any' },
    priority,
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
    ...(limits !== undefined && { limits }),
  };
  const [problem] = await rules.check([body], organization);
  if (problem !== undefined) throw ofRule(problem);
}

/** A problem of a batch's rule, as one of the batch, which has the fields that are in question under the same names. */
export function ofRule({ field, expected }: Pick<RuleProblem, 'field' | 'expected'>): BatchError {
  return invalid(field, expected);
}

export function invalid(field: string, expected: string): BatchError {
  return new BatchError('invalid', field, expected);
}
