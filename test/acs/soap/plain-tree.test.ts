import test from 'ava';
import fc from 'fast-check';
import { type Element, type ElementTree, parseTree } from '../../../acs/soap/element-tree.js';
import { SOAP_LIMITS } from '../../../acs/soap/limits.js';
import { plainTree as readPlain, TagReader } from '../../../acs/soap/plain-tree.js';
import { inform, transferComplete } from '../../support/raw-cpe.js';

const PREFIX = 'urn:dslforum-org:cwmp-';
const tags = new TagReader();

function plainTree(text: string, limits: typeof SOAP_LIMITS, prefix: string): ElementTree | null {
  return readPlain(text, limits, prefix, tags);
}

function plain(element: Element): unknown {
  return [element.uri, element.local, element.type, element.text, element.children.map(plain)];
}

function shown(tree: ElementTree): unknown {
  return [tree.declared, plain(tree.root)];
}

/** Strictly parsed, or what it is refused with. */
function strict(text: string): unknown {
  try {
    return shown(parseTree(text, SOAP_LIMITS, PREFIX));
  } catch {
    return 'refused';
  }
}

test('an envelope as CPEs send it goes the short way, to the same tree', (t) => {
  const escaped = inform({ serial: 'a &amp; b &lt;c&gt; &quot;&apos;' });
  for (const text of [
    inform(),
    escaped,
    transferComplete('x'),
    `<?xml version="1.0" encoding="UTF-8"?>\n${inform()}\n`,
  ]) {
    const tree = plainTree(text, SOAP_LIMITS, PREFIX);
    t.truthy(tree);
    if (tree !== null) t.deepEqual(shown(tree), strict(text));
  }
});

const NOT_PLAIN: readonly string[] = [
  '<a>é</a>',
  '<a>\r\n</a>',
  '<a>&#65;</a>',
  '<a>&b;</a>',
  '<a>& </a>',
  '<a><![CDATA[x]]></a>',
  '<a><!-- x --></a>',
  '<!DOCTYPE a><a/>',
  '<a>]]></a>',
  '<a><?pi?></a>',
  '<a b="1" b="2"/>',
  '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
  '<p:a/>',
  '<a p:b="1"/>',
  '<a xmlns:p=""/>',
  '<a xmlns=""/>',
  '<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>',
  '<a b="x>y"/>',
  '<a b="&lt;"/>',
  '<a b=1/>',
  '<a b="1"c="2"/>',
  '<a></b>',
  '<a>',
  '</a>',
  '<a/><b/>',
  'x<a/>',
  '<a/>x',
  '<a/',
  '< a/>',
  '<1/>',
  '<a:b:c xmlns:a="u"/>',
  '',
  ' ',
  ' <?xml version="1.0"?><a/>',
];

for (const text of NOT_PLAIN) {
  test(`what is not plain is left to the strict parser: ${JSON.stringify(text)}`, (t) => {
    t.is(plainTree(text, SOAP_LIMITS, PREFIX), null);
  });
}

test('so many namespace declarations that each would cost are left to the strict parser', (t) => {
  const declaring = (count: number) => `<r>${'<x xmlns:b="u"/>'.repeat(count)}</r>`;
  t.truthy(plainTree(declaring(64), SOAP_LIMITS, PREFIX));
  t.is(plainTree(declaring(65), SOAP_LIMITS, PREFIX), null);
});

test('limits are left to the strict parser, which refuses by name', (t) => {
  const limits = { ...SOAP_LIMITS, depthMax: 4, elementsMax: 6, textCharactersMax: 8 };
  for (const text of [
    '<a><a><a><a/></a></a></a>',
    '<a><a><a><a></a></a></a></a>',
    `<a>${'<b/>'.repeat(6)}</a>`,
    '<a>123456789</a>',
  ]) {
    const tree = plainTree(text, limits, PREFIX);
    const isRefused = (() => {
      try {
        parseTree(text, limits, PREFIX);
        return false;
      } catch {
        return true;
      }
    })();
    if (isRefused) t.is(tree, null, text);
  }
});

/** Pieces of XML, right and wrong, put together at random. */
const piece = fc.constantFrom(
  ...[
    '<a>',
    '</a>',
    '<b/>',
    '<p:a xmlns:p="u">',
    '</p:a>',
    '<p:c/>',
    ' ',
    '\n',
    '\r',
    '\t',
    'text',
    '&amp;',
    '&lt',
    '&#9;',
    ']]>',
  ],
  ...[
    '<a b="1">',
    "<a b='2' >",
    '<a b="1" b="1">',
    '<a\nb = "1">',
    '<a b="<">',
    '<a xmlns="v" xsi:type="x">',
    '<![CDATA[x]]>',
  ],
  ...[
    '<!-- c -->',
    '<?pi x?>',
    '<!DOCTYPE a>',
    '>',
    '<',
    '"',
    "'",
    '/',
    '=',
    'é',
    '\u0000',
    'xmlns',
    '<xmlns:a/>',
    '<xml:a/>',
  ],
);
const name = fc.constantFrom('a', 'b', 'p:a', 'q.r-s', '_x', 'Type');
const attribute = fc.constantFrom(
  '',
  '',
  ' b="1"',
  " b='2' ",
  '\nxsi:type="p:x"',
  ' xmlns:p="u"',
  ' xmlns="v"',
  ' p:b="1" b="2"',
  ' b = "1"',
  ' type="t"',
);
const { node } = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 4, arbitrary: fc.constantFrom('text', ' ', '\n', '&amp;', '&lt;&gt;', '>') },
    { weight: 1, arbitrary: piece },
    {
      weight: 5,
      arbitrary: fc
        .tuple(name, attribute, fc.array(tie('node'), { maxLength: 4 }))
        .map(([tag, given, inside]) => `<${tag}${given}>${inside.join('')}</${tag}>`),
    },
  ),
}));
const document = fc.oneof(
  fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
  fc.array(node, { maxLength: 4 }).map((nodes) => `<r xmlns:p="w" xmlns:xsi="s">${nodes.join('')}</r>`),
);

test('the short way sees what the strict parser sees, or nothing: random documents', (t) => {
  let taken = 0;
  fc.assert(
    fc.property(document, (text) => {
      const tree = plainTree(text, SOAP_LIMITS, PREFIX);
      if (tree === null) return;
      taken++;
      t.deepEqual(shown(tree), strict(text));
    }),
    { numRuns: 20_000 },
  );
  t.true(taken > 2_000, `${taken} of the documents were plain`);
});

test('the short way sees what the strict parser sees, or nothing: mutated envelopes', (t) => {
  const original = inform({ serial: 'a&amp;b' });
  const mutation = fc.record({
    at: fc.nat(original.length - 1),
    cut: fc.nat(12),
    put: fc.oneof(piece, fc.string({ maxLength: 3 })),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      let text = original;
      for (const { at, cut, put } of mutations) text = text.slice(0, at) + put + text.slice(at + cut);
      const tree = plainTree(text, SOAP_LIMITS, PREFIX);
      if (tree !== null) t.deepEqual(shown(tree), strict(text));
    }),
    { numRuns: 20_000 },
  );
});
