import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { SoapLimits } from './limits.js';
import { SoapError } from './message.js';

/** Longest part of a parser's message that is passed on: it may quote a name out of the document. */
const PARSER_MESSAGE_CHARACTERS_MAX = 160;

/** What a document type declaration is answered, by whichever reader meets it. */
export const DOCTYPE_REFUSED =
  'A document type declaration is not allowed in SOAP; send the envelope without DOCTYPE';

const NO_CHILDREN: readonly Element[] = Object.freeze([]);

/** An element as far as CWMP reads it: no attribute matters but xsi:type. */
export class Element {
  text = '';
  #children: Element[] | null = null;

  constructor(
    readonly uri: string,
    readonly local: string,
    /** xsi:type as it stands, with its prefix; null where there is none. */
    readonly type: string | null,
  ) {}

  get children(): readonly Element[] {
    return this.#children ?? NO_CHILDREN;
  }

  append(child: Element): void {
    if (this.#children === null) this.#children = [child];
    else this.#children.push(child);
  }

  /** The first child of that local name, in whatever namespace: CPEs qualify fields, or not, as they like. */
  child(local: string): Element | null {
    if (this.#children === null) return null;
    for (const child of this.#children) if (child.local === local) return child;
    return null;
  }
}

export interface ElementTree {
  readonly root: Element;
  /** The namespaces that the document declares, in document order, as far as they start with the given prefix. */
  readonly declared: readonly string[];
}

/**
 * Parses a document into a tree within `limits`. Strict: namespaces must be declared, entities be the predefined five
 * and a document type declaration is refused, so nothing in it can expand.
 *
 * @param namespacePrefix  which declared namespaces to report
 * @throws SoapError 400 for what is not well-formed or too deep, 413 for what is too large
 */
export function parseTree(text: string, limits: SoapLimits, namespacePrefix: string): ElementTree {
  const builder = new TreeBuilder(limits, namespacePrefix);
  const parser = new SaxesParser({
    xmlns: true,
    position: false,
    forceXMLVersion: true,
    defaultXMLVersion: '1.0',
  });
  // Five handlers and no more: the seventh makes V8 keep the parser's fields in a dictionary, which costs five times
  // as long for every document. So errors are caught rather than handled, and attributes read from their tag.
  parser.on('doctype', () => {
    throw new SoapError(DOCTYPE_REFUSED, { kind: 'http', status: 400 });
  });
  parser.on('opentag', (tag) => builder.open(tag.uri, tag.local, typeOf(tag, builder)));
  parser.on('closetag', () => builder.close());
  parser.on('text', (part) => builder.text(part));
  parser.on('cdata', (part) => builder.text(part));
  try {
    parser.write(text).close();
  } catch (error) {
    if (error instanceof SoapError) throw error;
    const found = (error instanceof Error ? error.message : '').slice(0, PARSER_MESSAGE_CHARACTERS_MAX);
    throw refusal(400, `The body is not well-formed XML: ${found}`);
  }
  return builder.finish();
}

/** What one attribute or none says of an element: its xsi:type. The namespaces that it declares are noted. */
function typeOf({ attributes }: SaxesTagNS, builder: TreeBuilder): string | null {
  let count = 0;
  let type: string | null = null;
  for (const name in attributes) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    builder.checkAttributes(++count);
    const { prefix, local, value } = attribute;
    if (prefix === 'xmlns' || name === 'xmlns') builder.declare(value.trim());
    // Some CPEs leave out its prefix or bind it to a draft's namespace.
    else if (local === 'type') type = value;
  }
  return type;
}

/** Builds a tree within limits, whoever reads the document. */
export class TreeBuilder {
  readonly #limits: SoapLimits;
  readonly #namespacePrefix: string;
  readonly #declared: string[] = [];
  readonly #open: Element[] = [];
  #root: Element | null = null;
  #current: Element | null = null;
  #elements = 0;

  constructor(limits: SoapLimits, namespacePrefix: string) {
    this.#limits = limits;
    this.#namespacePrefix = namespacePrefix;
  }

  /** The namespaces declared so far that matter, in document order. */
  get declared(): readonly string[] {
    return this.#declared;
  }

  /** An element begins. @throws SoapError 413 for too many, 400 for too deep */
  open(uri: string, local: string, type: string | null): void {
    if (++this.#elements > this.#limits.elementsMax) {
      throw refusal(413, `An envelope may have at most ${this.#limits.elementsMax} elements`);
    }
    const element = new Element(uri, local, type);
    if (this.#current === null) this.#root = element;
    else {
      this.#current.append(element);
      this.#open.push(this.#current);
      if (this.#open.length >= this.#limits.depthMax) {
        throw refusal(400, `Elements may be nested at most ${this.#limits.depthMax} deep`);
      }
    }
    this.#current = element;
  }

  /** @throws SoapError 400 where one element has so many */
  checkAttributes(count: number): void {
    if (count > this.#limits.attributesPerElementMax) {
      throw refusal(400, `An element may have at most ${this.#limits.attributesPerElementMax} attributes`);
    }
  }

  /** A namespace is declared. */
  declare(uri: string): void {
    if (uri.startsWith(this.#namespacePrefix)) this.#declared.push(uri);
  }

  close(): void {
    this.#current = this.#open.pop() ?? null;
  }

  /** A piece of the open element's text. @throws SoapError 413 where it grows too long */
  text(part: string): void {
    if (this.#current === null) return;
    this.#current.text += part;
    if (this.#current.text.length > this.#limits.textCharactersMax) {
      throw refusal(
        413,
        `The text of an element may have at most ${this.#limits.textCharactersMax} characters`,
      );
    }
  }

  /** @throws SoapError 400 where there was no element */
  finish(): ElementTree {
    if (this.#root === null) throw refusal(400, 'The body has no root element');
    return { root: this.#root, declared: this.#declared };
  }
}

function refusal(status: 400 | 413, message: string): SoapError {
  return new SoapError(message, { kind: 'http', status });
}
