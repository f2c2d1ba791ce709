import { JSON_TYPE, jsonPieces, type Rendered, type StreamedFields } from '../../http/index.js';
import { type Representation, representationOf } from './negotiation.js';
import type { Page, PageMaker } from './page.js';

/** An answer as its request wants it; where nothing will do, as JSON. */
export function rendered(answer: Page, page: PageMaker): Rendered {
  const as = wanted(answer);
  if (as.kind === 'html') return page(answer);
  return { headers: { 'Content-Type': JSON_TYPE }, body: jsonText(answer.data, as.indent) };
}

/** How an answer is to go out; where nothing will do, as JSON. */
export function wanted({ request }: Pick<Page, 'request'>): Representation {
  try {
    return representationOf(request);
  } catch {
    return { kind: 'json', indent: null };
  }
}

/** An answer of lists of any length as JSON, piece by piece: the same as {@link jsonText} of all of it. */
export function jsonTexts(fields: StreamedFields, indent: number | null): AsyncGenerator<string, void> {
  const inner = (value: unknown, levels: number) => {
    const text = jsonText(value, indent);
    return indent === null ? text : text.replaceAll('\n', `\n${' '.repeat(indent * levels)}`);
  };
  return jsonPieces(fields, inner, indent);
}

/** JSON without the two line ends that old scripts take for such. */
export function jsonText(data: unknown, indent: number | null): string {
  if (data === undefined) return '';
  return JSON.stringify(data, null, indent ?? undefined)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
