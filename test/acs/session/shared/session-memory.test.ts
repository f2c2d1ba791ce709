import test from 'ava';
import { SessionMemory } from '../../../../acs/session/shared/session-memory.js';
import type { Revision } from '../../../../store/index.js';
import { OVER } from './setup.js';

test('what is remembered is bounded; the longest silent is forgotten first', (t) => {
  const memory = new SessionMemory(2);
  const remembered = (id: string) => ({
    id,
    ip: '192.0.2.1',
    session: OVER,
    revision: 1 as Revision,
    storedUntilMs: 0,
    expiresAtMs: Number(id),
    keepsAlive: true,
  });
  for (const id of ['1', '2', '1']) t.is(memory.keep(remembered(id)), null);
  t.is(memory.keep(remembered('3'))?.id, '2');
  t.is(memory.get('2'), null);
  t.deepEqual(
    memory.forgetBy(1).map(({ id }) => id),
    ['1'],
  );
  t.not(memory.get('3'), null);
});
