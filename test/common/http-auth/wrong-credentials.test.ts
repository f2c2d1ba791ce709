import test from 'ava';
import { createSecrets, WrongCredentials } from '../../../common/index.js';
import { recordingLogger } from '../../support/ferry.js';

function counting(username = 'cpe') {
  let nowMs = 0;
  const { logger, events } = recordingLogger();
  const secrets = createSecrets(Buffer.alloc(32, 1));
  const wrong = new WrongCredentials({ event: 'wrong', username, secrets, logger, monotonic: () => nowMs });
  return { wrong, events, pass: (ms: number) => (nowMs += ms) };
}

test('beyond sixty wrong credentials of one address in a minute it is to wait for the rest of that', (t) => {
  const { wrong, pass } = counting();
  for (let n = 0; n < 60; n++) t.is(wrong.note('192.0.2.1', 'cpe'), 0);
  pass(20_000);
  t.is(wrong.note('192.0.2.1', `another name`), 40);
  t.is(wrong.note('192.0.2.2', 'cpe'), 0);
  pass(40_000);
  t.is(wrong.note('192.0.2.1', 'cpe'), 0);
});

test('of IPv6 a whole /64 is one address', (t) => {
  const { wrong } = counting();
  for (let n = 0; n < 60; n++) t.is(wrong.note(`2001:db8::${n}`, 'cpe'), 0);
  t.true(wrong.note('2001:db8::ffff:1', 'cpe') > 0);
  t.is(wrong.note('2001:db8:0:1::1', 'cpe'), 0);
});

test('beyond six hundred for one name whoever sends one more waits, wherever that is', (t) => {
  const { wrong } = counting();
  for (let n = 0; n < 600; n++) t.is(wrong.note(`192.0.2.${n % 200}`, 'cpe'), 0);
  t.is(wrong.note('198.51.100.1', 'cpe'), 60);
  t.is(wrong.note('198.51.100.1', 'other'), 0);
});

test('one line in ten seconds tells of them, with how many were left out, and of the name only where it is the right one', (t) => {
  const { wrong, events, pass } = counting('cpe-ö');
  wrong.note('192.0.2.1', Buffer.from('cpe-ö').toString('latin1'), { cpeid: '00A1B2-HGW-1' });
  for (let n = 0; n < 1_000; n++) wrong.note('192.0.2.1', 'typed password');
  pass(10_000);
  wrong.note('192.0.2.9', 'typed password');
  t.is(events.length, 2);
  t.deepEqual(events[0]?.fields, { user: 'cpe-ö', ip: '192.0.2.1', cpeid: '00A1B2-HGW-1' });
  t.like(events[1]?.fields, { ip: '192.0.2.9', omitted: 1_000 });
  t.regex(String(events[1]?.fields['unknownName']), /^[\w-]{8}$/);
  t.false(JSON.stringify(events).includes('typed password'));
});
