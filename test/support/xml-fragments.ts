import { SaxesParser, type SaxesTagNS } from 'saxes';

/** An element cut out of its document so that it can be validated on its own. */
export interface Fragment {
  readonly uri: string;
  readonly local: string;
  /** The element as a document, with every namespace declaration that was in scope; URNs replaced as asked. */
  serialize(replaceUri?: (uri: string) => string): string;
}

interface Node {
  readonly tag: SaxesTagNS;
  readonly parts: (string | Node)[];
  readonly scope: ReadonlyMap<string, string>;
}

/**
 * Parses a document for cutting elements out of it.
 *
 * @returns finds the elements at a path below the root, each step `{uri}local` or `*`
 * @throws Error where the text is not well-formed
 */
export function parseFragments(text: string): (...path: readonly string[]) => Fragment[] {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const open: Node[] = [];
  let root: Node | null = null;
  const append = (part: string) => open.at(-1)?.parts.push(part);
  parser.on('opentag', (tag) => {
    const parent = open.at(-1);
    const node: Node = {
      tag,
      parts: [],
      scope: new Map([...(parent?.scope ?? []), ...Object.entries(tag.ns)]),
    };
    if (parent === undefined) root = node;
    else parent.parts.push(node);
    open.push(node);
  });
  parser.on('closetag', () => open.pop());
  parser.on('text', append);
  parser.on('cdata', append);
  parser.write(text).close();
  if (root === null) throw new Error('no root element');
  const top: Node = root;
  return (...path) => {
    let nodes: Node[] = [top];
    for (const step of path) {
      nodes = nodes.flatMap((node) =>
        elements(node).filter(({ tag }) => step === '*' || step === nameOf(tag)),
      );
    }
    return nodes.map(fragmentOf);
  };
}

function elements(node: Node): Node[] {
  return node.parts.filter((part) => typeof part !== 'string');
}

/** `{uri}local` */
function nameOf(tag: SaxesTagNS): string {
  return `{${tag.uri}}${tag.local}`;
}

function fragmentOf(node: Node): Fragment {
  return {
    uri: node.tag.uri,
    local: node.tag.local,
    serialize: (replaceUri = (uri) => uri) => {
      const declarations = [...node.scope]
        .filter(([prefix, uri]) => uri !== '' || prefix === '')
        .map(
          ([prefix, uri]) =>
            ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeXml(replaceUri(uri))}"`,
        );
      return write(node, declarations.join(''), replaceUri);
    },
  };
}

/** @param declarations  in place of the element's own; null keeps those */
function write(node: Node, declarations: string | null, replaceUri: (uri: string) => string): string {
  let attributes = declarations ?? '';
  for (const { name, prefix, value } of Object.values(node.tag.attributes)) {
    const declares = prefix === 'xmlns' || name === 'xmlns';
    if (!declares) attributes += ` ${name}="${escapeXml(value)}"`;
    else if (declarations === null) attributes += ` ${name}="${escapeXml(replaceUri(value))}"`;
  }
  const content = node.parts.map((part) =>
    typeof part === 'string' ? escapeXml(part) : write(part, null, replaceUri),
  );
  return `<${node.tag.name}${attributes}>${content.join('')}</${node.tag.name}>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}
