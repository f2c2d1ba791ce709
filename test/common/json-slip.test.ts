import test from 'ava';
import { atOnce, JsonFault, jsonSlip, jsonSyntaxError, readingJson } from '../../common/index.js';

const BOUNDS = { depthMax: 32, tokensMax: 1_000, keysMax: 1_000 };

/** What is said of the first thing that is wrong, and what of the text begins there. */
function saidOf(text: string): readonly [said: string, place: string] {
  const bytes = Buffer.from(text);
  try {
    atOnce(readingJson(bytes, BOUNDS));
  } catch (error) {
    if (!(error instanceof JsonFault) || error.what.kind !== 'syntax') throw error;
    return [jsonSlip(bytes, error.offset, error.what.syntax), bytes.toString('utf8', error.offset)];
  }
  throw new Error(`${text} is JSON`);
}

const NO_COMMENTS = 'there are no comments in it; take this one out';
const QUOTE = 'a text ends right before this; within a text write \\" for a quotation mark, or \'';
const NO_WORD = 'there are no words but true, false and null; write one of these';

const slips: readonly (readonly [text: string, said: string, place: string])[] = [
  ['{ // why\n"id": 1}', NO_COMMENTS, '// why\n"id": 1}'],
  ['{"id": 1 /* why */}', NO_COMMENTS, '/* why */}'],
  ['{"id": 1, # why\n"a": 2}', NO_COMMENTS, '# why\n"a": 2}'],
  ['{"id": 1,\n}', 'no comma stands before }; take it out', '}'],
  ['[1, 2,\n]', 'no comma stands before ]; take it out', ']'],
  ['[1,, 2]', 'no comma stands before ,; take it out', ', 2]'],
  ['{"condition": "oui = "X" and"}', QUOTE, 'X" and"}'],
  ['{"condition": "version = "1.0""}', QUOTE, '1.0""}'],
  ['{"condition": "$contains(a, "")"}', QUOTE, '")"}'],
  [
    '{"condition": "oui = 1\n and model = 2"}',
    'a text ends on the line on which it begins; write \\n for a line break, or one line',
    '"oui = 1\n and model = 2"}',
  ],
  ['{"a": "x,\n "b": 1}', 'this text has no quotation mark at its end; write " there', '"x,\n "b": 1}'],
  ['{"a": "x', 'this text has no quotation mark at its end; write " there', '"x'],
  ['{"a": 1\n"b": 2}', 'a comma is missing before this', '"b": 2}'],
  ['[1 2]', 'a comma is missing before this', '2]'],
  ['{"a" 1}', 'a colon is missing before this', '1}'],
  ['{"a" = 1}', 'a colon stands between a name and its value; write :', '= 1}'],
  ['{"a": 1; "b": 2}', 'a comma stands between two values; write ,', '; "b": 2}'],
  ['{"a": }', 'a value is missing behind the colon', '}'],
  ['{"a": ', 'it ends where a value is due; what follows is missing', ''],
  ["{'a': 1}", 'a text has double quotes; write "', "'a': 1}"],
  ['{“a”: 1}', 'this is no quotation mark; write "', '“a”: 1}'],
  ['{a: 1}', 'a name has double quotes; write "…" around it', 'a: 1}'],
  ['{"a": hgw}', 'a text, or a name, has double quotes; write "…" around it', 'hgw}'],
  ['{"a": True}', NO_WORD, 'True}'],
  ['{"a": None}', NO_WORD, 'None}'],
  ['{1: 2}', 'a name in double quotes is due here, such as "id"', '1: 2}'],
  ['{"a": .5}', 'a number begins with a digit, or with - and a digit', '.5}'],
  ['{"a": 1.}', 'a digit is missing in this number', '1.}'],
  ['{"a": [1}', 'what was opened last is an array; close it by ]', '}'],
  ['[{"a": 1]', 'what was opened last is an object; close it by }', ']'],
  ['{"a": 1', 'a } is missing at the end', ''],
  ['[1', 'a ] is missing at the end', ''],
  ['{"a": 1}\n{"a": 2}', 'nothing stands behind its end; put several into one array, […, …]', '{"a": 2}'],
  ['["\\d"]', 'this text has a \\ in it that escapes nothing; write \\\\ for one', '"\\d"]'],
  [
    '["\\u12"]',
    'this text has a \\u in it without four hexadecimal digits; write \\\\ for a backslash',
    '"\\u12"]',
  ],
  ['["a\tb"]', 'this text has a control character in it, such as a tab; write \\t for it', '"a\tb"]'],
];

for (const [text, said, place] of slips) {
  test(`${JSON.stringify(text)}: ${said}`, (t) => {
    t.deepEqual(saidOf(text), [said, place]);
  });
}

test('what is said of a text has no word of it', (t) => {
  t.is(jsonSyntaxError('{"password": "open "sesame"}'), `line 1, column 21: ${QUOTE}`);
});
