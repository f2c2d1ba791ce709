import { INVISIBLE } from '../../common/index.js';
import { type Html, html, type Piece } from './html.js';

/** Where a value stands: the names and numbers that lead to it, from the outside in. */
export type JsonPlace = readonly (string | number)[];

/** Where a text leads that stands in an answer; null: nowhere. */
export type JsonLinks = (place: JsonPlace, text: string) => string | null;

const INDENT = '    ';
/** Of what is deeper or behind there is only a mark: nobody reads it here, and JSON has all of it. */
const DEPTH_MAX = 32;
const VALUES_MAX = 5_000;
const TEXT_CHARACTERS_MAX = 20_000;

/** A value as JSON for people: a line each, with links. Characters that nobody sees are written out, as JSON may. */
export function jsonView(value: unknown, linkOf: JsonLinks): Html {
  return html`<pre class="json">${new JsonWriter(linkOf).valueAt([], value)}</pre>`;
}

class JsonWriter {
  #left = VALUES_MAX;

  constructor(private readonly linkOf: JsonLinks) {}

  valueAt(place: JsonPlace, value: unknown): Piece {
    if (this.#left-- <= 0) return '…';
    if (typeof value === 'string') return this.#textAt(place, value);
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
    const isList = Array.isArray(value);
    const entries = isList ? value.map((item, at) => [at, item] as const) : Object.entries(value);
    const [open, close] = isList ? ['[', ']'] : ['{', '}'];
    if (entries.length === 0) return open + close;
    if (place.length >= DEPTH_MAX) return `${open}…${close}`;
    const line = `\n${INDENT.repeat(place.length + 1)}`;
    const pieces: Piece[] = [];
    for (const [key, item] of entries) {
      if (this.#left <= 0) {
        pieces.push(`${line}…`);
        break;
      }
      const name = typeof key === 'number' ? null : html`<span class="key">${quoted(key)}</span>: `;
      pieces.push([pieces.length === 0 ? line : `,${line}`, name, this.valueAt([...place, key], item)]);
    }
    return [open, pieces, `\n${INDENT.repeat(place.length)}${close}`];
  }

  #textAt(place: JsonPlace, text: string): Piece {
    const cut = text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX)}…` : text;
    const path = this.linkOf(place, text);
    return path === null ? quoted(cut) : html`<a href="${path}">${quoted(cut)}</a>`;
  }
}

function quoted(text: string): string {
  return visible(JSON.stringify(text));
}

/** A text in which nothing stands that is not seen, or that has what follows read otherwise. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) =>
    Array.from({ length: character.length }, (_, at) => escapeOf(character.charCodeAt(at))).join(''),
  );
}

function escapeOf(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
