import { Element, type ElementTree } from './element-tree.js';
import type { SoapLimits } from './limits.js';

/**
 * The short way through what nearly every CPE sends: ASCII, elements, attributes and text, and of entities the predefined ones. Whatever
 * else a document holds, or does wrong, makes it give up, and the strict parser decides; so it need not know all of XML, only
 * never take what that parser refuses or see another tree. It costs a fourth as much, and decoding is most of a periodic session.
 *
 * @returns null for what is not plain; that says nothing about whether it is well-formed
 */
export function plainTree(text: string, limits: SoapLimits, namespacePrefix: string): ElementTree | null {
  if (NOT_PLAIN.test(text)) return null;
  const declaration =
    /^<\?xml version="1\.0"(?: encoding="[A-Za-z][\w.-]*")?(?: standalone="(?:yes|no)")? ?\?>/.exec(text);
  const reader = new PlainReader(text, declaration?.[0].length ?? 0, limits, namespacePrefix);
  return reader.read();
}

/** Carriage returns are turned into line feeds, tabs in attributes into spaces, and so on: all that is the strict parser's. */
const NOT_PLAIN = /[^\n -~]/;
const BLANK = /^[\n ]*$/;
const ATTRIBUTE = /[\n ]+([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)=(?:"([^"<&\n]*)"|'([^'<&\n]*)')/y;
const QUALIFIED_NAME = /^(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)$/;
const XML_NAMESPACES = ['http://www.w3.org/XML/1998/namespace', 'http://www.w3.org/2000/xmlns/'];
/** More are rare, and comparing each with each would no longer be short. */
const ATTRIBUTES_MAX = 16;

type Scope = ReadonlyMap<string, string>;

interface OpenElement {
  readonly element: Element;
  readonly name: string;
  readonly scope: Scope;
}

const NO_SCOPE: Scope = new Map();

class PlainReader {
  readonly #text: string;
  readonly #limits: SoapLimits;
  readonly #namespacePrefix: string;
  readonly #declared: string[] = [];
  readonly #open: OpenElement[] = [];
  #at: number;
  #root: Element | null = null;
  #elements = 0;

  constructor(text: string, start: number, limits: SoapLimits, namespacePrefix: string) {
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
    return open !== undefined && this.#text.slice(tag + 2, end) === open.name;
  }

  #readStartTag(tag: number, end: number): boolean {
    const isEmpty = this.#text.charCodeAt(end - 1) === SLASH;
    const inside = this.#text.slice(tag + 1, isEmpty ? end - 1 : end);
    const nameEnd = inside.search(/[\n ]/);
    const name = nameEnd < 0 ? inside : inside.slice(0, nameEnd);
    const parent = this.#open.at(-1);
    if (parent === undefined && this.#root !== null) return false;
    const attributes = nameEnd < 0 ? NO_ATTRIBUTES : readAttributes(inside, nameEnd);
    if (attributes === null || ++this.#elements > this.#limits.elementsMax) return false;
    const scope = this.#scopeOf(attributes, parent?.scope ?? NO_SCOPE);
    const [, prefix = '', local] = QUALIFIED_NAME.exec(name) ?? [];
    if (scope === null || local === undefined || prefix === 'xmlns') return false;
    const uri = scope.get(prefix) ?? (prefix === '' ? '' : null);
    if (uri === null || !areDistinct(attributes, scope)) return false;
    const element = new Element(uri, local, typeOf(attributes));
    if (parent === undefined) this.#root = element;
    else parent.element.append(element);
    if (!isEmpty) this.#open.push({ element, name, scope });
    return this.#open.length < this.#limits.depthMax;
  }

  #scopeOf(attributes: readonly Attribute[], outer: Scope): Scope | null {
    let scope: Map<string, string> | null = null;
    for (const { name, value } of attributes) {
      if (!name.startsWith('xmlns')) continue;
      const declares = name === 'xmlns' ? '' : name.startsWith('xmlns:') ? name.slice('xmlns:'.length) : null;
      if (declares === null) continue;
      const uri = value.trim();
      // Undeclaring, and the prefixes and namespaces that belong to XML itself, have rules of their own.
      if (uri === '' || declares.startsWith('xml') || XML_NAMESPACES.includes(uri)) return null;
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

const NO_ATTRIBUTES: readonly Attribute[] = [];

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
  if (attributes.length === 0) return true;
  const seen = new Set<string>();
  for (const { name } of attributes) {
    const colon = name.indexOf(':');
    const prefix = colon < 0 ? '' : name.slice(0, colon);
    const uri = prefix === '' || prefix === 'xmlns' ? prefix : scope.get(prefix);
    if (uri === undefined) return false;
    const expanded = `${uri} ${name.slice(colon + 1)}`;
    if (seen.has(expanded)) return false;
    seen.add(expanded);
  }
  return true;
}

/** The last attribute whose local name is `type`, as the strict way has it. */
function typeOf(attributes: readonly Attribute[]): string | null {
  let type: string | null = null;
  for (const { name, value } of attributes) {
    if (name === 'type' || (name.endsWith(':type') && !name.startsWith('xmlns:'))) type = value;
  }
  return type;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string | null {
  let isPlain = true;
  const result = text.replace(/&([a-z]*)(;?)/g, (_all, name: string, semicolon: string) => {
    const character = semicolon === '' ? undefined : ENTITIES[name];
    if (character === undefined) isPlain = false;
    return character ?? '';
  });
  return isPlain ? result : null;
}
