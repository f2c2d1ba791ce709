/** A piece of a page: text that is HTML already, and is made in no other way than by {@link html}. */
export class Html {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** What {@link html} is. */
  static of(parts: TemplateStringsArray, values: readonly Piece[]): Html {
    let written = '';
    let text = '';
    parts.forEach((part, index) => {
      written += part;
      text += part;
      if (index < values.length) text += rendered(values[index] ?? null, placeAfter(written));
    });
    return new Html(text);
  }

  toString(): string {
    return this.#text;
  }
}

/** What can stand in a page: text and numbers, which are escaped; HTML; several of these; nothing (null, false). */
export type Piece = string | number | Html | null | false | readonly Piece[];

/**
 * HTML with values in it. Whatever is no {@link Html} is text, between tags and between quotes; a URL that a browser would run
 * becomes `#`.
 * @example html`<a href="${path}">${name}</a>`
 * @throws Error where a value stands where escaping does not help: text in a tag outside of quotes, HTML within quotes, or anything in a
 *   script or style. That depends on the template alone, and not on what comes from outside.
 */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return Html.of(parts, values);
}

/** Nothing. */
export const NOTHING = html``;

/** Where in a page a value stands: it says how it is to be written. */
type Place = 'text' | 'tag' | 'quotes' | 'url';

function rendered(value: Piece, place: Place): string {
  if (value === null || value === false) return '';
  if (value instanceof Html) {
    if (place === 'quotes' || place === 'url')
      throw new Error('HTML stands within quotes, which it could end');
    return String(value);
  }
  if (typeof value === 'object') return value.map((each) => rendered(each, place)).join('');
  switch (place) {
    case 'tag':
      throw new Error('A text stands in a tag outside of quotes, where nothing escapes it');
    case 'url':
      return escaped(isSafeUrl(String(value)) ? String(value) : '#');
    case 'quotes':
    case 'text':
      return escaped(String(value));
    default:
      return place satisfies never;
  }
}

/** The place behind what a template has written so far. What its values are changes nothing of it, since they are escaped. */
function placeAfter(written: string): Place {
  const open = written.lastIndexOf('<');
  if (open <= written.lastIndexOf('>')) return placeInText(written);
  // A quote for each, of which the last may be open.
  const [tag = '', ...quoted] = written.slice(open).split('"');
  const isOpen = quoted.length % 2 === 1;
  if (!isOpen) return 'tag';
  const before = quoted.length === 1 ? tag : (quoted.at(-2) ?? '');
  const name = before.slice(before.lastIndexOf(' ') + 1).toLowerCase();
  if (!URL_ATTRIBUTES.has(name)) return 'quotes';
  const begun = quoted.at(-1) ?? '';
  if (begun === '') return 'url';
  if (begun === '/' || !isSafeUrl(begun))
    throw new Error(`What ${name} begins with does not say where it leads`);
  return 'quotes';
}

function placeInText(written: string): Place {
  const tag = written.slice(written.lastIndexOf('<')).toLowerCase();
  if (tag.startsWith('<script') || tag.startsWith('<style')) {
    throw new Error('A value stands in a script or style, where nothing escapes it');
  }
  return 'text';
}

/** As they are written, with the sign behind them. */
const URL_ATTRIBUTES: ReadonlySet<string> = new Set([
  'href=',
  'src=',
  'action=',
  'formaction=',
  'poster=',
  'data=',
]);

/** A path of this server, a query, a fragment, or a page of the web; browsers leave out blanks, which could hide another kind. */
function isSafeUrl(text: string): boolean {
  return !/\s/.test(text) && /^(?:\/(?![/\\])|[?#]|https?:\/\/)/.test(text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
