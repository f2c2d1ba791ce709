import type { Rendered } from '../../http/index.js';
import { JSON_MEDIA_TYPE, type Representation, representationOf } from './negotiation.js';
import type { Page, PageMaker } from './page.js';

/** An answer as its request wants it; where nothing will do, as JSON. */
export function rendered(answer: Page, page: PageMaker): Rendered {
  const as = wanted(answer);
  if (as.kind === 'html') return page(answer);
  return { headers: { 'Content-Type': JSON_MEDIA_TYPE }, body: jsonText(answer.data, as.indent) };
}

function wanted({ request }: Page): Representation {
  try {
    return representationOf(request);
  } catch {
    return { kind: 'json', indent: null };
  }
}

/** JSON without the two line ends that old scripts take for such. */
export function jsonText(data: unknown, indent: number | null): string {
  if (data === undefined) return '';
  return JSON.stringify(data, null, indent ?? undefined)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}
