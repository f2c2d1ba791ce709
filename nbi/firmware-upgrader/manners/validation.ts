import { A_FILE, type BodyData } from './body.js';
import type { Field, Said } from './field.js';
import { type FieldProblems, wrongFields } from './upgrader-error.js';
import { noUuid, uuidIn } from './uuid.js';

/** Whether there is an object of an id, as far as whoever asks may name it, by the field that refers to it. */
export type References = Readonly<Record<string, (id: string) => Promise<boolean>>>;

interface Validating {
  /** PATCH: what is not sent stays as it is. */
  readonly isPartial: boolean;
  readonly references?: References;
}

/** What came of one field: nothing was said, something is wrong with it, or what it says. */
type Outcome =
  | { readonly kind: 'absent' }
  | { readonly kind: 'wrong'; readonly texts: readonly string[] }
  | { readonly kind: 'value'; readonly value: string | boolean | null };

const ABSENT: Outcome = { kind: 'absent' };
const SHOWN_CHARACTERS_MAX = 200;
const TRUE: ReadonlySet<unknown> = new Set([true, 1, ...words('t y yes true on 1')]);
const FALSE: ReadonlySet<unknown> = new Set([false, 0, ...words('f n no false off 0')]);

/**
 * The fields of a body, each found good.
 * @throws UpgraderError 400 with what is wrong with all of them
 */
export async function said<const F extends readonly Field[]>(
  fields: F,
  body: BodyData,
  validating: Validating,
): Promise<Said<F>> {
  const { values, problems } = await checked(fields, body, validating);
  if (Object.keys(problems).length > 0) throw wrongFields(problems);
  // Each value was found good as a value of its field.
  return values as Said<F>;
}

/** What is wrong with the fields of a body. */
export async function fieldProblems(
  fields: readonly Field[],
  body: BodyData,
  validating: Validating,
): Promise<FieldProblems> {
  return (await checked(fields, body, validating)).problems;
}

async function checked(
  fields: readonly Field[],
  body: BodyData,
  { isPartial, references = {} }: Validating,
): Promise<{ readonly values: Readonly<Record<string, unknown>>; readonly problems: FieldProblems }> {
  const values: Record<string, unknown> = {};
  const problems: Record<string, readonly string[]> = {};
  for (const field of fields) {
    if (field.readOnly === true || field.kind === 'file') continue;
    const outcome = await outcomeOf(field, body, isPartial, references[field.name]);
    if (outcome.kind === 'wrong') problems[field.name] = outcome.texts;
    if (outcome.kind === 'value') values[field.name] = outcome.value;
  }
  return { values, problems };
}

async function outcomeOf(
  field: Field,
  body: BodyData,
  isPartial: boolean,
  isThere: ((id: string) => Promise<boolean>) | undefined,
): Promise<Outcome> {
  const sent = sentOf(field, body, isPartial);
  if (sent === undefined) return field.required === true && !isPartial ? wrong(REQUIRED) : ABSENT;
  switch (field.kind) {
    case 'string':
      return stringOutcome(field, sent);
    case 'reference':
      return referenceOutcome(field, sent, isThere);
    case 'boolean':
      if (sent === null) return wrong(NULL);
      if (TRUE.has(wordOf(sent))) return { kind: 'value', value: true };
      return FALSE.has(wordOf(sent)) ? { kind: 'value', value: false } : wrong('Must be a valid boolean.');
    case 'choice':
      return choiceOutcome(field, sent);
    default:
      return ABSENT;
  }
}

const REQUIRED = 'This field is required.';
const NULL = 'This field may not be null.';
const BLANK = 'This field may not be blank.';

/** As the reference reads forms: what is empty there may mean null, or nothing. */
function sentOf(field: Field, { isForm, values }: BodyData, isPartial: boolean): unknown {
  const { name, kind, required, mayBeNull, mayBeBlank } = field;
  const sent = Object.hasOwn(values, name) ? values[name] : undefined;
  if (!isForm) return sent;
  if (sent === undefined) return kind === 'boolean' && !isPartial ? false : undefined;
  if (sent !== '' || mayBeBlank === true) return sent;
  if (mayBeNull === true) return null;
  return required === true ? sent : undefined;
}

function stringOutcome(field: Field & { readonly kind: 'string' }, sent: unknown): Outcome {
  if (sent === null) return field.mayBeNull === true ? { kind: 'value', value: null } : wrong(NULL);
  if (typeof sent !== 'string' && typeof sent !== 'number') return wrong('Not a valid string.');
  const value = field.isAsItIs === true ? String(sent) : String(sent).trim();
  if (value === '') return field.mayBeBlank === true ? { kind: 'value', value } : wrong(BLANK);
  const { charactersMax } = field;
  const texts = [
    ...(value.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...(charactersMax !== undefined && isLonger(value, charactersMax)
      ? [`Ensure this field has no more than ${charactersMax} characters.`]
      : []),
  ];
  return texts.length > 0 ? { kind: 'wrong', texts } : { kind: 'value', value };
}

/** In characters as people count them. */
function isLonger(text: string, charactersMax: number): boolean {
  return text.length > charactersMax && (text.length > 2 * charactersMax || [...text].length > charactersMax);
}

async function referenceOutcome(
  { mayBeNull }: Field,
  sent: unknown,
  isThere: ((id: string) => Promise<boolean>) | undefined,
): Promise<Outcome> {
  if (sent === null || sent === '') return mayBeNull === true ? { kind: 'value', value: null } : wrong(NULL);
  if (typeof sent === 'boolean') return wrong('Incorrect type. Expected pk value, received bool.');
  if (typeof sent === 'number' && Number.isInteger(sent)) return wrong(noPk(String(sent)));
  if (typeof sent !== 'string') return wrong(noUuid(sent === A_FILE ? 'a file' : shown(sent)));
  const id = uuidIn(sent);
  if (id === null) return wrong(noUuid(sent));
  return (await isThere?.(id)) === true ? { kind: 'value', value: id } : wrong(noPk(sent));
}

/** The same for what there is not and for what whoever asks may not name. */
export function noPk(pk: string): string {
  return `Invalid pk "${pk}" - object does not exist.`;
}

function choiceOutcome(field: Field & { readonly kind: 'choice' }, sent: unknown): Outcome {
  if (sent === null) return field.mayBeNull === true ? { kind: 'value', value: null } : wrong(NULL);
  if (sent === '' && field.mayBeBlank === true) return { kind: 'value', value: '' };
  const text = typeof sent === 'string' ? sent : shown(sent);
  if (field.choices.some(({ value }) => value === text)) return { kind: 'value', value: text };
  return wrong(`"${text.slice(0, SHOWN_CHARACTERS_MAX)}" is not a valid choice.`);
}

function wrong(...texts: readonly string[]): Outcome {
  return { kind: 'wrong', texts };
}

function shown(value: unknown): string {
  return value === A_FILE ? 'a file' : (JSON.stringify(value) ?? '').slice(0, SHOWN_CHARACTERS_MAX);
}

/** Words are read whatever their letters. */
function wordOf(value: unknown): unknown {
  return typeof value === 'string' ? value.trim().toLowerCase() : value;
}

function words(text: string): readonly string[] {
  return text.split(' ');
}
