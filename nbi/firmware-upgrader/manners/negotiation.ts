import type { Request } from 'express';
import { lastOf } from './asking.js';
import { detail } from './upgrader-error.js';

/** As what an answer goes out. */
export type Representation =
  | { readonly kind: 'json' /** Spaces of each level; null: compact. */; readonly indent: number | null }
  | { readonly kind: 'html' };

export const HTML_MEDIA_TYPE = 'text/html';

const INDENT_MAX = 8;
/** Entries of Accept that are looked at; browsers send ten. */
const ACCEPTED_MAX = 64;

/** The kinds that there are, by the name that `format` gives them; where both will do the first goes out. */
const KINDS = [
  { format: 'json', kind: 'json', type: 'application', subtype: 'json' },
  { format: 'api', kind: 'html', type: 'text', subtype: 'html' },
] as const;

/** One entry of Accept. */
interface Accepted {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * As what a request wants its answer: by `format` in the query, and by Accept as the reference reads it, which goes by how precisely a type
 * is named and not by `q`.
 * @throws UpgraderError 404 for an unknown format, 406 where nothing will do
 */
export function representationOf({
  headers,
  originalUrl,
}: Pick<Request, 'headers' | 'originalUrl'>): Representation {
  const format = lastOf(originalUrl, 'format');
  const kinds = format === '' ? KINDS : KINDS.filter((each) => each.format === format);
  if (kinds.length === 0) throw detail(404, 'Not found.');
  const accepted = (headers.accept ?? '*/*').split(',', ACCEPTED_MAX).map(acceptedIn);
  for (const precision of [3, 2, 1, 0]) {
    const some = accepted.filter((each) => precisionOf(each) === precision);
    for (const kind of kinds) {
      const match = some.find((each) => matches(kind, each));
      if (match !== undefined) return kind.kind === 'html' ? { kind: 'html' } : jsonAs(match);
    }
  }
  throw detail(406, 'Could not satisfy the request Accept header.');
}

function acceptedIn(text: string): Accepted {
  const [mediaType = '', ...parameters] = text.trim().split(';');
  const [type = '', subtype = ''] = mediaType.trim().toLowerCase().split('/', 2);
  return {
    type,
    subtype,
    parameters: new Map(
      parameters.map((each) => {
        const [name = '', value = ''] = each.split('=', 2);
        return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')];
      }),
    ),
  };
}

function precisionOf({ type, subtype, parameters }: Accepted): number {
  if (type === '*') return 0;
  if (subtype === '*') return 1;
  const others = [...parameters.keys()].filter((name) => name !== 'q');
  return others.length === 0 ? 2 : 3;
}

function matches(kind: (typeof KINDS)[number], { type, subtype }: Accepted): boolean {
  return (type === '*' || type === kind.type) && (subtype === '*' || subtype === kind.subtype);
}

function jsonAs({ parameters }: Accepted): Representation {
  const indent = parameters.get('indent');
  if (indent === undefined || !/^\d{1,3}$/.test(indent)) return { kind: 'json', indent: null };
  const spaces = Math.min(Number(indent), INDENT_MAX);
  return { kind: 'json', indent: spaces === 0 ? null : spaces };
}
