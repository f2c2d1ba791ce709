import { epochMsOf } from '../../../common/index.js';
import { type Parameter, queryParameter, type Schema } from '../../http/index.js';
import { lastOf } from './asking.js';
import { wrongFields } from './upgrader-error.js';
import { noUuid, uuidIn } from './uuid.js';

/** What a list can be narrowed to, by a parameter of its query. */
export type Filter = {
  readonly name: string;
  readonly description: string;
} & (
  | /** Compared to the letter, without spaces around it. */ { readonly kind: 'text' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** The id of an object, which must be one that whoever asks sees. */
  | { readonly kind: 'reference' }
  /** The id of something, which may be nothing. */
  | { readonly kind: 'id' }
  /** RFC 3339. */
  | { readonly kind: 'time' }
);

/** The filters that were said, by name; ids in their one spelling, times in epoch milliseconds. */
export type Filtered = Readonly<Record<string, string>>;

const NO_CHOICE = 'Select a valid choice. That choice is not one of the available choices.';
const SHOWN_CHARACTERS_MAX = 200;

/**
 * What a request narrows a list to. Nothing is said by an empty value, and the last of several counts.
 * @param isThere  by the filter, whether there is an object of an id that whoever asks sees
 * @throws UpgraderError 400 with what is wrong with all of them
 */
export async function filtered(
  filters: readonly Filter[],
  url: string,
  isThere: Readonly<Record<string, (id: string) => Promise<boolean>>>,
): Promise<Filtered> {
  const values: Record<string, string> = {};
  const problems: Record<string, readonly string[]> = {};
  for (const filter of filters) {
    const sent = lastOf(url, filter.name);
    const text = filter.kind === 'text' ? sent.trim() : sent;
    if (text === '') continue;
    const found = await readValue(filter, text, isThere[filter.name]);
    if ('wrong' in found) problems[filter.name] = [found.wrong];
    else values[filter.name] = found.value;
  }
  if (Object.keys(problems).length > 0) throw wrongFields(problems);
  return values;
}

async function readValue(
  filter: Filter,
  text: string,
  isThere: ((id: string) => Promise<boolean>) | undefined,
): Promise<{ readonly value: string } | { readonly wrong: string }> {
  switch (filter.kind) {
    case 'text':
      return { value: text };
    case 'choice':
      if (filter.choices.includes(text)) return { value: text };
      return {
        wrong: `Select a valid choice. ${text.slice(0, SHOWN_CHARACTERS_MAX)} is not one of the available choices.`,
      };
    case 'reference':
    case 'id': {
      const id = uuidIn(text);
      if (id === null) return { wrong: noUuid(text) };
      const isKnown = filter.kind === 'id' || (await isThere?.(id)) === true;
      return isKnown ? { value: id } : { wrong: NO_CHOICE };
    }
    case 'time': {
      const atMs = timeIn(text);
      return atMs === null ? { wrong: 'Enter a valid date/time.' } : { value: String(atMs) };
    }
    default:
      return filter satisfies never;
  }
}

/** What stands behind the milliseconds, as the API writes times. */
const MICROSECONDS = /(\.\d{3})(\d{1,3})(?=Z|[-+])/;
const MICROSECONDS_OF_A_MILLISECOND = 1_000;

/** In epoch milliseconds, with a fraction where the time is finer; null where it is none. */
function timeIn(text: string): number | null {
  const [, , finer = ''] = MICROSECONDS.exec(text) ?? [];
  const atMs = epochMsOf(text.replace(MICROSECONDS, '$1'));
  return atMs === null ? null : atMs + Number(finer.padEnd(3, '0')) / MICROSECONDS_OF_A_MILLISECOND;
}

/** As the OpenAPI document lists it. */
export function filterParameter(filter: Filter): Parameter {
  const { name, description } = filter;
  return queryParameter(name, description, schemaOf(filter));
}

/** What is left empty filters nothing. */
const EMPTY = { type: 'string', maxLength: 0 };

function schemaOf(filter: Filter): Schema {
  switch (filter.kind) {
    case 'choice':
      return { type: 'string', enum: [...filter.choices, ''] };
    case 'reference':
    case 'id':
      return { anyOf: [{ type: 'string', format: 'uuid' }, EMPTY] };
    case 'time':
      return { anyOf: [{ type: 'string', format: 'date-time' }, EMPTY] };
    case 'text':
      return { type: 'string' };
    default:
      return filter satisfies never;
  }
}
