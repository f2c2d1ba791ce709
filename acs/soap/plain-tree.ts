import { Element, type ElementTree } from './element-tree.js';
import type { SoapLimits } from './limits.js';

/**
 * The short way through what nearly every CPE sends: ASCII, elements, attributes and text, and of entities the predefined ones. Whatever
 * else a document holds, or does wrong, makes it give up, and the strict parser decides; so it need not know all of XML, only
 * never take what that parser refuses or see another tree. It costs a third as much, and decoding is the largest part of what Ferry
 * itself does in a periodic session.
 *
 * @returns null for what is not plain; that says nothing about whether it is well-formed
 */
export function plainTree(
  text: string,
  limits: SoapLimits,
  namespacePrefix: string,
  tags: TagReader,
): ElementTree | null {
  if (NOT_PLAIN.test(text)) return null;
  const declaration =
    /^<\?xml version="1\.0"(?: encoding="[A-Za-z][\w.-]*")?(?: standalone="(?:yes|no)")? ?\?>/.exec(text);
  const reader = new PlainReader(text, declaration?.[0].length ?? 0, limits, namespacePrefix, tags);
  return reader.read();
}

/** Carriage returns are turned into line feeds, tabs in attributes into spaces, and so on: all that is the strict parser's. */
const NOT_PLAIN = /[^\n -~]/;
const BLANK = /^[\n ]*$/;
const ATTRIBUTE = /[\n ]+([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)=(?:"([^"<&\n]*)"|'([^'<&\n]*)')/y;
const QUALIFIED_NAME = /^(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)$/;
const XML_NAMESPACES = ['http://www.w3.org/XML/1998/namespace', 'http://www.w3.org/2000/xmlns/'];
/** More are rare. */
const ATTRIBUTES_MAX = 16;
const DECLARATIONS_MAX = 64;
/** What stands in a CPE's tags is much the same from tag to tag and from CPE to CPE; a hostile one can only make us read anew. */
const TAGS_KNOWN_MAX = 2_000;
const TAG_CHARACTERS_KNOWN_MAX = 640;

type Scope = ReadonlyMap<string, string>;

interface OpenElement {
  readonly element: Element;
  readonly tag: Tag;
  readonly scope: Scope;
}

const NO_SCOPE: Scope = new Map();

class PlainReader {
  readonly #text: string;
  readonly #limits: SoapLimits;
  readonly #namespacePrefix: string;
  readonly #tags: TagReader;
  readonly #declared: string[] = [];
  readonly #open: OpenElement[] = [];
  #at: number;
  #root: Element | null = null;
  #elements = 0;
  #declarations = 0;

  constructor(text: string, start: number, limits: SoapLimits, namespacePrefix: string, tags: TagReader) {
    this.#tags = tags;
    this.#text = text;
    this.#at = start;
    this.#limits = limits;
    this.#namespacePrefix = namespacePrefix;
  }

  read(): ElementTree | null {
    for (;;) {
      const tag = this.#text.indexOf('<', this.#at);
      const isLast = tag < 0;
      if (!this.#readText(isLast ? this.#text.length : tag)) return null;
      if (isLast) break;
      const end = this.#text.indexOf('>', tag);
      if (end < 0) return null;
      const isRead =
        this.#text.charCodeAt(tag + 1) === SLASH ? this.#readEndTag(tag, end) : this.#readStartTag(tag, end);
      if (!isRead) return null;
      this.#at = end + 1;
    }
    if (this.#root === null || this.#open.length > 0) return null;
    return { root: this.#root, declared: this.#declared };
  }

  #readText(end: number): boolean {
    if (this.#at === end) return true;
    const part = this.#text.slice(this.#at, end);
    const current = this.#open.at(-1);
    if (current === undefined) return BLANK.test(part);
    if (part.includes(']]>')) return false;
    const plain = part.includes('&') ? unescaped(part) : part;
    if (plain === null) return false;
    current.element.text += plain;
    return current.element.text.length <= this.#limits.textCharactersMax;
  }

  #readEndTag(tag: number, end: number): boolean {
    const open = this.#open.pop();
    if (open === undefined) return false;
    const { name } = open.tag;
    return end === tag + 2 + name.length && this.#text.startsWith(name, tag + 2);
  }

  #readStartTag(start: number, end: number): boolean {
    const isEmpty = this.#text.charCodeAt(end - 1) === SLASH;
    const tag = this.#tags.read(this.#text.slice(start + 1, isEmpty ? end - 1 : end));
    const parent = this.#open.at(-1);
    if (tag === null || (parent === undefined && this.#root !== null)) return false;
    const outer = parent?.scope ?? NO_SCOPE;
    const scope = tag.declares ? this.#scopeOf(tag.attributes, outer) : outer;
    if (scope === null || ++this.#elements > this.#limits.elementsMax) return false;
    const uri = scope.get(tag.prefix) ?? (tag.prefix === '' ? '' : null);
    if (uri === null || !areDistinct(tag.attributes, scope)) return false;
    const element = new Element(uri, tag.local, tag.type);
    if (parent === undefined) this.#root = element;
    else parent.element.append(element);
    if (!isEmpty) this.#open.push({ element, tag, scope });
    return this.#open.length < this.#limits.depthMax;
  }

  #scopeOf(attributes: readonly Attribute[], outer: Scope): Scope | null {
    let scope: Map<string, string> | null = null;
    for (const { name, value } of attributes) {
      if (!isDeclaration(name)) continue;
      const declares = name.slice('xmlns:'.length);
      const uri = value.trim();
      // Undeclaring, and the prefixes and namespaces that belong to XML itself, have rules of their own.
      if (uri === '' || declares.startsWith('xml') || XML_NAMESPACES.includes(uri)) return null;
      // Each declaration copies what is in scope around it: so many of them are not plain.
      if (++this.#declarations > DECLARATIONS_MAX) return null;
      scope ??= new Map(outer);
      scope.set(declares, uri);
      if (uri.startsWith(this.#namespacePrefix)) this.#declared.push(uri);
    }
    return scope ?? outer;
  }
}

const SLASH = '/'.charCodeAt(0);

interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** What stands between `<` and `>` of a start tag, apart from the namespaces around it. */
interface Tag {
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly attributes: readonly Attribute[];
  /** It has an attribute that declares a namespace. */
  readonly declares: boolean;
  /** The attribute `type`, in whatever namespace; the last, as the strict way has it. */
  readonly type: string | null;
}

/** Reads start tags, and knows the ones it has read. */
export class TagReader {
  readonly #known = new Map<string, Tag>();

  /** @returns null for what is not plain */
  read(inside: string): Tag | null {
    const known = this.#known.get(inside);
    if (known !== undefined) return known;
    const tag = readTag(inside);
    if (tag !== null && inside.length <= TAG_CHARACTERS_KNOWN_MAX) {
      if (this.#known.size >= TAGS_KNOWN_MAX) this.#known.clear();
      // A copy: the slice would keep its whole envelope in memory.
      const own = Buffer.from(inside, 'latin1').toString('latin1');
      this.#known.set(own, readTag(own) ?? tag);
    }
    return tag;
  }
}

function readTag(inside: string): Tag | null {
  const nameEnd = inside.search(/[\n ]/);
  const name = nameEnd < 0 ? inside : inside.slice(0, nameEnd);
  const [, prefix = '', local] = QUALIFIED_NAME.exec(name) ?? [];
  const attributes = nameEnd < 0 ? [] : readAttributes(inside, nameEnd);
  if (local === undefined || prefix === 'xmlns' || attributes === null) return null;
  const declares = attributes.some((attribute) => isDeclaration(attribute.name));
  const type = attributes.findLast(
    (attribute) => localOf(attribute.name) === 'type' && !isDeclaration(attribute.name),
  );
  return { name, prefix, local, attributes, declares, type: type?.value ?? null };
}

function isDeclaration(attributeName: string): boolean {
  return attributeName === 'xmlns' || attributeName.startsWith('xmlns:');
}

function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function readAttributes(inside: string, start: number): readonly Attribute[] | null {
  const attributes: Attribute[] = [];
  let at = start;
  while (at < inside.length) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(inside);
    if (found === null) return BLANK.test(inside.slice(at)) ? attributes : null;
    if (attributes.length >= ATTRIBUTES_MAX) return null;
    attributes.push({ name: found[1] ?? '', value: found[2] ?? found[3] ?? '' });
    at = ATTRIBUTE.lastIndex;
  }
  return attributes;
}

/** No attribute twice, neither by its name nor by what its prefix stands for; every prefix declared. */
function areDistinct(attributes: readonly Attribute[], scope: Scope): boolean {
  const [first] = attributes;
  if (first === undefined) return true;
  if (attributes.length === 1) {
    const end = first.name.indexOf(':');
    return end < 0 || isDeclaration(first.name) || scope.has(first.name.slice(0, end));
  }
  const seen: string[] = [];
  for (const { name } of attributes) {
    const colon = name.indexOf(':');
    const prefix = colon < 0 ? '' : name.slice(0, colon);
    const uri = prefix === '' || prefix === 'xmlns' ? prefix : scope.get(prefix);
    if (uri === undefined) return false;
    const expanded = `${uri} ${name.slice(colon + 1)}`;
    if (seen.includes(expanded)) return false;
    seen.push(expanded);
  }
  return true;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string | null {
  // Found out before anything is replaced: a text may be nothing but ampersands.
  if (/&(?!(?:amp|lt|gt|quot|apos);)/.test(text)) return null;
  return text.replace(/&([a-z]+);/g, (all, name: string) => ENTITIES[name] ?? all);
}
