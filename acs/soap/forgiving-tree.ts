import { DOCTYPE_REFUSED, type ElementTree, TreeBuilder } from './element-tree.js';
import type { SoapLimits } from './limits.js';
import { type Mend, SoapError } from './message.js';
import { CWMP_NAMESPACE_PREFIX, nearestNamespace, undeclaredNamespace, XML_NAMESPACE } from './namespaces.js';

/** Stands for what cannot be read, so that it stays visible that something stood there. */
export const UNREADABLE = '\ufffd';

/**
 * The second reader, for what the strict one has refused: it takes what cannot be meant in two ways, says what that was, and builds
 * its tree within the same limits. It refuses what has no end (a document or a tag that is cut), what does not nest, a second
 * document, and every declaration that could define anything. One pass, whose work is in proportion to the text.
 *
 * Where an attribute stands twice the last one counts, as the strict reader takes the last `type` of several namespaces.
 *
 * @param mended  takes what was put right
 * @throws SoapError 400 for what cannot be read, 413 for what is too large
 */
export function forgivingTree(text: string, limits: SoapLimits, mended: Set<Mend>): ElementTree {
  return new ForgivingReader(text, limits, mended).read();
}

const PLAIN_NAME = /^(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)$/;
const ANY_NAME = /^(?:([\p{L}_][\p{L}\p{M}\p{N}_.\-\u00b7]*):)?([\p{L}_][\p{L}\p{M}\p{N}_.\-\u00b7]*)$/u;
const ATTRIBUTE = /(\s*)([^\s=<>"'/&]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/y;
const GREATER_THAN = 0x3e;
const SLASH = 0x2f;
/** The last of the characters that end a name as white space does. */
const BLANK = 0x20;
const TAG_END = /\s*(\/?)>/y;
const NAMES_KNOWN_MAX = 2_000;
/** A name in a refusal: enough to recognise it. */
const NAME_SHOWN_CHARACTERS_MAX = 64;

interface Name {
  readonly prefix: string;
  readonly local: string;
}

interface Open {
  readonly name: string;
  /** Prefixes that are to be forgotten with it. */
  readonly declares: readonly string[] | null;
}

interface Attributes {
  /** Prefixes; the empty one is that of the default namespace. */
  readonly declares: readonly string[] | null;
  readonly type: string | null;
}

const NO_ATTRIBUTES: Attributes = { declares: null, type: null };

class ForgivingReader {
  readonly #text: string;
  readonly #mended: Set<Mend>;
  readonly #builder: TreeBuilder;
  readonly #open: Open[] = [];
  readonly #names = new Map<string, Name>();
  /** What each prefix stands for: the last is in force. One map for all, so that no element costs more than it declares. */
  readonly #bound = new Map<string, string[]>();
  #at = 0;
  #hasRoot = false;

  constructor(text: string, limits: SoapLimits, mended: Set<Mend>) {
    this.#text = text;
    this.#mended = mended;
    this.#builder = new TreeBuilder(limits, CWMP_NAMESPACE_PREFIX);
  }

  read(): ElementTree {
    const text = this.#text;
    while (this.#at < text.length) {
      const tag = this.#nextMarkup();
      const end = tag < 0 ? text.length : tag;
      if (end > this.#at && this.#readText(text.slice(this.#at, end)) === 'over') break;
      this.#at = end;
      if (tag >= 0) this.#readMarkup(tag);
    }
    const open = this.#open.at(-1);
    if (open !== undefined) throw malformed(`it ends before </${shown(open.name)}>`);
    return this.#builder.finish();
  }

  /** The next `<` that begins something: within an element, others are text. */
  #nextMarkup(): number {
    let tag = this.#text.indexOf('<', this.#at);
    while (tag >= 0 && this.#open.length > 0 && !beginsMarkup(this.#text, tag + 1)) {
      this.#mended.add('markup');
      tag = this.#text.indexOf('<', tag + 1);
    }
    return tag;
  }

  #readText(part: string): 'over' | 'on' {
    if (this.#open.length > 0) {
      if (part.includes(']]>')) this.#mended.add('markup');
      this.#builder.text(plainText(part, this.#mended));
      return 'on';
    }
    if (/^[\t\n\r ]*$/.test(part)) return 'on';
    if (!this.#hasRoot) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the ones that XML 1.0 forbids are what is looked for
      if (!/^[\s\x00-\x1f\ufffd\ufffe]*$/.test(part))
        throw malformed('there is text before its root element');
      this.#mended.add('character');
      return 'on';
    }
    this.#mended.add('tail');
    // What follows the end of a C string is whatever its buffer held before: no part of what was meant to be sent.
    return part.includes('\0') ? 'over' : 'on';
  }

  #readMarkup(tag: number): void {
    const text = this.#text;
    switch (text[tag + 1]) {
      case '/':
        this.#readEndTag(tag);
        break;
      case '?':
        this.#skip(tag, '?>', 'processing instruction');
        break;
      case '!':
        this.#readDeclaration(tag);
        break;
      default:
        if (!beginsMarkup(text, tag + 1)) throw malformed('there is a < outside its root element');
        this.#readStartTag(tag);
    }
  }

  #readDeclaration(tag: number): void {
    const text = this.#text;
    if (text.startsWith('<!--', tag)) {
      this.#skip(tag, '-->', 'comment', '<!--'.length);
    } else if (text.startsWith('<![CDATA[', tag) && this.#open.length > 0) {
      const start = tag + '<![CDATA['.length;
      this.#skip(tag, ']]>', 'CDATA section', start - tag);
      this.#builder.text(withoutControls(text.slice(start, this.#at - ']]>'.length), this.#mended));
    } else {
      const isDoctype = /^<!DOCTYPE/i.test(text.slice(tag, tag + '<!DOCTYPE'.length));
      throw isDoctype
        ? new SoapError(DOCTYPE_REFUSED, { kind: 'http', status: 400 })
        : malformed('it holds a declaration');
    }
  }

  #skip(tag: number, ending: string, what: string, opening = 2): void {
    const end = this.#text.indexOf(ending, tag + opening);
    if (end < 0) throw malformed(`a ${what} has no end`);
    this.#at = end + ending.length;
  }

  #readEndTag(tag: number): void {
    const text = this.#text;
    const open = this.#open.pop();
    let end = tag + 2 + (open?.name.length ?? 0);
    if (open === undefined || !text.startsWith(open.name, tag + 2) || text.charCodeAt(end) !== GREATER_THAN) {
      end = text.indexOf('>', tag);
      const name = end < 0 ? '' : text.slice(tag + 2, end).trimEnd();
      if (open === undefined || name !== open.name) {
        const closes = open === undefined ? 'nothing' : `<${shown(open.name)}>`;
        throw malformed(`</${shown(name)}> closes ${closes}`);
      }
    }
    this.#forget(open.declares);
    this.#builder.close();
    this.#at = end + 1;
  }

  #readStartTag(tag: number): void {
    const text = this.#text;
    const nameEnd = endOfName(text, tag + 1);
    const name = text.slice(tag + 1, nameEnd);
    if (this.#hasRoot && this.#open.length === 0) throw malformed('it has more than one root element');
    this.#hasRoot = true;
    const { prefix, local } = this.#nameOf(name);
    this.#at = nameEnd;
    const { declares, type } =
      text.charCodeAt(nameEnd) === GREATER_THAN ? NO_ATTRIBUTES : this.#readAttributes();
    const isEmpty = this.#endTag(name);
    this.#builder.open(this.#resolve(prefix, local), local, type);
    if (isEmpty) {
      this.#forget(declares);
      this.#builder.close();
    } else {
      this.#open.push({ name, declares });
    }
  }

  /** @returns whether its element is empty */
  #endTag(name: string): boolean {
    if (this.#text.charCodeAt(this.#at) === GREATER_THAN) {
      this.#at++;
      return false;
    }
    TAG_END.lastIndex = this.#at;
    const ending = TAG_END.exec(this.#text);
    if (ending === null) throw malformed(`the tag <${shown(name)}> cannot be read`);
    this.#at = TAG_END.lastIndex;
    return ending[1] !== '';
  }

  #nameOf(name: string): Name {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const [, prefix = '', local] = PLAIN_NAME.exec(name) ?? ANY_NAME.exec(name) ?? [];
    if (local === undefined) throw malformed(`<${shown(name)}> is no name of an element`);
    const read = { prefix, local };
    if (this.#names.size < NAMES_KNOWN_MAX) this.#names.set(name, read);
    return read;
  }

  /** From the end of the tag's name on; stops where no further attribute begins. */
  #readAttributes(): Attributes {
    let type: string | null = null;
    let declares: string[] | null = null;
    const names = new Set<string>();
    for (let count = 1; ; count++) {
      ATTRIBUTE.lastIndex = this.#at;
      const found = ATTRIBUTE.exec(this.#text);
      if (found === null) break;
      this.#at = ATTRIBUTE.lastIndex;
      const [, blank, name = '', double, single] = found;
      const value = attributeValue(double ?? single ?? '', this.#mended);
      this.#builder.checkAttributes(count);
      if (blank === '' || names.has(name)) this.#mended.add('attribute');
      names.add(name);
      if (isDeclaration(name)) {
        const prefix = name.slice('xmlns:'.length);
        declares ??= [];
        if (this.#declare(prefix, value.trim())) declares.push(prefix);
      } else if (localOf(name) === 'type') {
        type = value;
      }
    }
    // Only now, as a tag may use a prefix before it declares it.
    for (const name of names) {
      const colon = name.indexOf(':');
      if (colon > 0 && !isDeclaration(name) && !this.#isBound(name.slice(0, colon))) {
        this.#mended.add('namespace');
      }
    }
    return { declares, type };
  }

  /** @returns false for a prefix that is declared to stand for nothing, as if it were not declared */
  #declare(prefix: string, uri: string): boolean {
    if (uri === '' && prefix !== '') {
      this.#mended.add('namespace');
      return false;
    }
    const near = nearestNamespace(uri);
    if (near !== uri) this.#mended.add('namespace');
    this.#builder.declare(near);
    const bound = this.#bound.get(prefix);
    if (bound === undefined) this.#bound.set(prefix, [near]);
    else bound.push(near);
    return true;
  }

  #forget(declares: readonly string[] | null): void {
    for (const prefix of declares ?? []) this.#bound.get(prefix)?.pop();
  }

  #isBound(prefix: string): boolean {
    return prefix === 'xml' || (this.#bound.get(prefix)?.length ?? 0) > 0;
  }

  #resolve(prefix: string, local: string): string {
    const uri = this.#bound.get(prefix)?.at(-1);
    if (uri !== undefined) return uri;
    if (prefix === '') return '';
    if (prefix === 'xml') return XML_NAMESPACE;
    this.#mended.add('namespace');
    return undeclaredNamespace(prefix, local, this.#builder.declared);
  }
}

/** What follows a `<` that is not text: a name, or what begins an end tag, a comment and so on. */
function beginsMarkup(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
  return isLetter || (code <= 0x7f ? '_:/!?'.includes(text[at] ?? ' ') : /\p{L}/u.test(text[at] ?? ''));
}

/** The first blank, slash or `>`. */
function endOfName(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === GREATER_THAN || code === SLASH || code <= BLANK) break;
    at++;
  }
  return at;
}

function isDeclaration(name: string): boolean {
  return name.startsWith('xmlns') && (name.length === 5 || name[5] === ':');
}

function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: the ones that XML 1.0 forbids are what is looked for
const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+/g;
const REFERENCE = /&(?:#(?:\d+|x[\da-fA-F]+)|amp|lt|gt|quot|apos);/g;
const NO_REFERENCE = /&(?!(?:#(?:\d+|x[\da-fA-F]+)|amp|lt|gt|quot|apos);)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const SPECIAL_IN_ATTRIBUTE = /[\x00-\x1f&<\ufffe\uffff]/;

/** Text without its references, as XML 1.0 (2.11, 4.1) has it where it is well-formed. */
function plainText(text: string, mended: Set<Mend>): string {
  const readable = withoutControls(text, mended);
  if (!readable.includes('&')) return readable;
  if (NO_REFERENCE.test(readable)) mended.add('ampersand');
  return readable.replace(REFERENCE, (reference) => referred(reference, mended));
}

/** With line ends as XML has them. */
function withoutControls(text: string, mended: Set<Mend>): string {
  const plain = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  return plain.replace(CONTROLS, (found) => {
    mended.add('character');
    return UNREADABLE.repeat(found.length);
  });
}

/** XML 1.0, 3.3.3. Nearly none holds anything special, and only few are looked at. */
function attributeValue(raw: string, mended: Set<Mend>): string {
  if (!SPECIAL_IN_ATTRIBUTE.test(raw)) return raw;
  if (raw.includes('<')) mended.add('markup');
  const line = /[\t\n\r]/.test(raw) ? raw.replace(/\r\n?|[\t\n]/g, ' ') : raw;
  return plainText(line, mended);
}

function referred(reference: string, mended: Set<Mend>): string {
  const known = ENTITIES[reference];
  if (known !== undefined) return known;
  const isHex = reference[2] === 'x';
  const code = Number.parseInt(reference.slice(isHex ? 3 : 2, -1), isHex ? 16 : 10);
  if (isCharacter(code)) return String.fromCodePoint(code);
  mended.add('character');
  return UNREADABLE;
}

/** XML 1.0, 2.2 */
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff);
}

function shown(name: string): string {
  return name.slice(0, NAME_SHOWN_CHARACTERS_MAX);
}

function malformed(problem: string): SoapError {
  return new SoapError(`The body is not well-formed XML: ${problem}`, { kind: 'http', status: 400 });
}
