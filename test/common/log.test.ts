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

test('whatever a device puts into a field, an event stays one line that steers no terminal', (t) => {
  const stream = new PassThrough();
  const text = createLogger({ level: 'info', format: 'text', stream });
  const json = createLogger({ level: 'info', format: 'json', stream });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (manufacturer) => {
      text.info('a.b', { manufacturer });
      t.regex(String(stream.read()), /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cf}]+\n$/u);
      json.info('a.b', { manufacturer });
      t.regex(String(stream.read()), /^[^\n]+\n$/);
    }),
  );
  t.regex(logged('text', 'a.b', { name: '\u001b[2J\u009b\u202e\n' }), /name="\\u001b\[2J\\u009b\\u202e\\n"/);
});

test('a long value is cut in a text line', (t) => {
  t.true(logged('text', 'a.b', { manufacturer: 'x'.repeat(1_000_000) }).length < 400);
});

test('an error is its message, and what has no JSON does not stop the caller', (t) => {
  t.regex(logged('text', 'a.b', { error: new Error('no luck') }), /error="no luck"/);
  t.is(JSON.parse(logged('json', 'a.b', { error: new Error('no luck') })).error, 'no luck');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  for (const value of [circle, 1n, undefined, null, Symbol('s'), () => 1, { n: 1n }]) {
    t.regex(logged('text', 'a.b', { value }), / a\.b value=/);
    t.is(JSON.parse(logged('json', 'a.b', { value })).message, 'a.b');
  }
});
