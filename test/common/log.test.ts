import { PassThrough } from 'node:stream';
import test from 'ava';
import fc from 'fast-check';
import { createLogger, type LogFields, type LogLevel } from '../../common/index.js';

/** What one event looks like in the log; an empty text where it is left out. */
function logged(
  format: 'text' | 'json',
  event: string,
  fields?: LogFields,
  { level = 'info', from = 'debug' }: { level?: LogLevel; from?: LogLevel } = {},
): string {
  const stream = new PassThrough();
  createLogger({ level: from, format, stream })[level](event, fields);
  return String(stream.read() ?? '');
}

test('an event is a line of time, level, name and fields', (t) => {
  t.regex(
    logged('text', 'upgrade.accepted', { cpeid: '00A1B2-HGW-1', tookMs: 12, note: 'two words' }),
    /^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}upgrade\.accepted cpeid=00A1B2-HGW-1 tookMs=12 note="two words"\n$/,
  );
});

test('an event is a JSON object for a collector', (t) => {
  const { timestamp, ...rest } = JSON.parse(logged('json', 'a.b', { n: 1, deep: { x: [1] } }));
  t.deepEqual(rest, { level: 'info', message: 'a.b', n: 1, deep: { x: [1] } });
  t.true(Date.parse(timestamp) > 0);
});

test('less severe events than asked for are left out', (t) => {
  t.is(logged('text', 'a.b', {}, { level: 'info', from: 'warn' }), '');
  t.not(logged('text', 'a.b', {}, { level: 'warn', from: 'warn' }), '');
});

test('a field named level, message or timestamp does not replace the event’s own', (t) => {
  const fields = { level: 'error', message: 'forged', timestamp: 'never' };
  const parsed = JSON.parse(logged('json', 'a.b', fields));
  t.is(parsed.level, 'info');
  t.is(parsed.message, 'a.b');
  t.not(parsed.timestamp, 'never');
  t.is(parsed.level_, 'error');
  t.regex(logged('text', 'a.b', fields), / info {2}a\.b level_=error message_=forged timestamp_=never\n$/);
});

/** Controls, marks of direction, ends of lines, halves of pairs, and what is not seen. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]/u;
const LINE_CHARACTERS_MAX = 4_096;

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({
    unit: fc.constantFrom('\u0000', '\u009b', '\u202e', '\u2028', '\ud800', '\u{e0001}', '"', '\\'),
  }),
  fc.nat(5_000).map((length) => '\u2066'.repeat(length)),
);
const hostileFields = fc.dictionary(
  fc.oneof(hostileText, fc.constantFrom('cpeid', 'stack', 'error', '__proto__', 'toJSON', 'level')),
  fc.oneof(
    hostileText,
    fc.anything({
      values: [hostileText, fc.double()],
      withBigInt: true,
      withDate: true,
      withMap: true,
      maxDepth: 8,
    }),
    hostileText.map((message) => new Error(message)),
    hostileText.map((text) => ({ a: { b: { c: { d: { e: { f: text } } } } } })),
    fc.nat(20_000).map((length) => Array.from({ length }, (_, at) => at)),
    fc.nat(2_000).map((length) => Object.fromEntries(Array.from({ length }, (_, at) => [`n${at}`, at]))),
  ),
  { maxKeys: 60 },
);

for (const format of ['text', 'json'] as const)
  test(`whatever is put into the fields, an event is one bounded line of ${format} that steers no terminal`, (t) => {
    const stream = new PassThrough();
    const logger = createLogger({ level: 'info', format, stream, fields: { worker: 1 } });
    fc.assert(
      fc.property(hostileFields, hostileText, (fields, event) => {
        logger.info(event, fields);
        const written = String(stream.read());
        t.true(written.endsWith('\n'));
        const line = written.slice(0, -1);
        t.notRegex(line, UNSEEN);
        t.true(line.length <= LINE_CHARACTERS_MAX, `${line.length}`);
        if (format === 'json') {
          const parsed = JSON.parse(line);
          t.is(parsed.level, 'info');
          t.is(parsed.worker, 1);
          // Some readers of JSON refuse a whole line for half of a surrogate pair.
          t.notRegex(JSON.stringify(parsed), /\\ud[89a-f]/);
        } else t.regex(line, /^\S+Z info {2}/);
      }),
    );
  });

test('what is short and plain is written as it is, in both formats', (t) => {
  const plainText = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !UNSEEN.test(text));
  const plain = fc.dictionary(
    fc.stringMatching(/^[a-km-z][a-zA-Z]{0,8}$/).filter((name) => !['message', 'timestamp'].includes(name)),
    fc.oneof(
      plainText,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.integer(), { maxLength: 3 }),
    ),
    { maxKeys: 8 },
  );
  fc.assert(
    fc.property(plain, (fields) => {
      const { timestamp, ...rest } = JSON.parse(logged('json', 'a.b', fields));
      t.deepEqual(rest, { ...fields, level: 'info', message: 'a.b' });
      const line = logged('text', 'a.b', fields);
      for (const [name, value] of Object.entries(fields)) {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        t.true(line.includes(` ${name}=${/^[\w.:/@%+~-]+$/.test(text) ? text : JSON.stringify(text)}`), line);
      }
    }),
  );
});

test('what would steer a terminal, or is not seen, is written as what it is', (t) => {
  const name = '\u001b[2J\u009b\u007f\u202e\u200b\u2028\ufeff\u061c\u2800\u{e0041}\n';
  const shown = '\\u001b[2J\\u009b\\u007f\\u202e\\u200b\\u2028\\ufeff\\u061c\\u2800\\udb40\\udc41\\n';
  t.true(logged('text', 'a.b', { name }).endsWith(` name="${shown}"\n`));
  t.true(logged('json', 'a.b', { name }).includes(`"name":"${shown}"`));
  t.is(JSON.parse(logged('json', 'a.b', { name })).name, name);
  t.is(JSON.parse(logged('json', 'a.b', { name: 'x\ud800y' })).name, 'x\ufffdy');
});

test('a long text is cut with a mark, and never within a character', (t) => {
  const cut = `${'x'.repeat(300)}…`;
  t.true(logged('text', 'a.b', { manufacturer: 'x'.repeat(1_000_000) }).endsWith(` manufacturer="${cut}"\n`));
  t.is(JSON.parse(logged('json', 'a.b', { manufacturer: 'x'.repeat(1_000_000) })).manufacturer, cut);
  t.is(JSON.parse(logged('json', 'a.b', { name: `${'x'.repeat(299)}😀` })).name, `${'x'.repeat(299)}…`);
  t.is(JSON.parse(logged('json', 'a.b', { error: new Error('x'.repeat(301)) })).error, cut);
});

test('of a stack more is told than of other fields, and not all', (t) => {
  const stack = 'at f (file.js:1:1)\n'.repeat(1_000);
  t.is(JSON.parse(logged('json', 'a.b', { stack })).stack, `${stack.slice(0, 2_000)}…`);
  t.true(logged('text', 'a.b', { stack }).includes(JSON.stringify(`${stack.slice(0, 2_000)}…`)));
});

test('lists and objects are bounded in depth and number, with a mark', (t) => {
  const told = (value: unknown) => JSON.parse(logged('json', 'a.b', { value })).value;
  t.deepEqual(told({ a: { b: { c: { d: { e: 1 } } } } }), { a: { b: { c: { d: '…' } } } });
  const long = told(Array.from({ length: 1_000_000 }, (_, at) => at));
  t.is(long.length, 61);
  t.is(long.at(-1), '…');
  t.is(told(Object.fromEntries(long.map((at: unknown) => [`n${at}`, at])))['…'], '…');
  t.is(told(Buffer.alloc(1_000_000)), '1000000 bytes');
});

test('a line that would be too long says how many of its fields are cut', (t) => {
  const fields = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, 'x'.repeat(300)]));
  const parsed = JSON.parse(logged('json', 'a.b', { ...fields, last: 1 }));
  t.is(parsed.f0, 'x'.repeat(300));
  t.is(parsed.f19, '…');
  t.is(parsed.last, 1);
  t.is(parsed.fieldsCut, Object.values(parsed).filter((value) => value === '…').length);
  t.regex(logged('text', 'a.b', { ...fields, last: 1 }), / f19="…" last=1 fieldsCut=\d+\n$/);
});

test('an error is its message, and what has no JSON does not stop the caller', (t) => {
  t.regex(logged('text', 'a.b', { error: new Error('no luck') }), /error="no luck"/);
  t.is(JSON.parse(logged('json', 'a.b', { error: new Error('no luck') })).error, 'no luck');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  const refusing = {
    toJSON() {
      throw new Error('never');
    },
    get name() {
      throw new Error('never');
    },
  };
  const nameless = Object.assign(new Error('x'), { message: { toString: null } });
  for (const value of [circle, 1n, undefined, null, Symbol('s'), () => 1, { n: 1n }, refusing, nameless]) {
    t.regex(logged('text', 'a.b', { value }), / a\.b value=/);
    t.is(JSON.parse(logged('json', 'a.b', { value })).message, 'a.b');
  }
});
