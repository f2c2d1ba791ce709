import test from 'ava';
import { SESSIONS } from '../../../../acs/session/shared/session-document.js';
import {
  begin,
  beginHere,
  connection,
  ended,
  found,
  IDLE_MS,
  OVER,
  openPair,
  revisionOf,
  sessionWith,
  socket,
  taken,
  takeStep,
} from './setup.js';

test('a session ends for all; what was read before cannot go on', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first);
  const theirs = await found(second, id);
  t.true(await first.end(await found(first, id)));
  t.false(await second.moved(theirs, taken(sessionWith())));
  t.deepEqual(await second.find([id], socket), { kind: 'none' });
});

test('a silent session is gone when its time is up, and taken out by one process', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const { id } = await begin(first);
  const over = await begin(second, sessionWith(null, true));
  time.nowMs += 4_000;
  const kept = await begin(second);
  t.deepEqual(await first.expire(), []);
  time.nowMs += 1_000;
  t.is((await second.find([over.id], socket)).kind, 'none');
  t.deepEqual(await second.expire(), [], 'the other does it');
  t.deepEqual(
    (await first.expire()).map(({ wasOver }) => wasOver),
    [true],
  );
  time.nowMs += IDLE_MS - 5_000;
  t.is((await second.find([id], socket)).kind, 'none');
  t.is((await second.find([kept.id], socket)).kind, 'found');
  await first.close();
  t.deepEqual(
    (await second.expire()).map(({ wasOver }) => wasOver),
    [false],
    'whoever leaves hands it over',
  );
  t.is(await store.collection(SESSIONS).count(), 1);
});

test('a session that is over goes with its connection, and is told of once', async (t) => {
  const { socket, store, time, first, second } = await openPair(t, false);
  const over = await begin(first, sessionWith(), socket);
  t.true(await takeStep(first, over.id, OVER, socket));
  const other = connection();
  const open = await begin(first, sessionWith(), other);
  t.is(first.disconnected(socket), null);
  t.is(first.disconnected(other), null);
  await first.close();
  t.is(await revisionOf(store, over.id), null);
  t.not(await revisionOf(store, open.id), null);
  t.deepEqual(await ended(first), [true]);
  t.deepEqual(await ended(first), []);
  time.nowMs += IDLE_MS;
  t.deepEqual(await ended(second), [false]);
});

test('a session that is over is ended when its CPE has said nothing more, unless it has elsewhere', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const over = await begin(first);
  const elsewhere = await begin(first);
  for (const { id } of [over, elsewhere]) t.true(await takeStep(first, id, OVER));
  time.nowMs += 4_999;
  // TransferComplete, say: it leaves the session as it is, and is stored all the same.
  t.true(await takeStep(second, elsewhere.id, sessionWith()));
  t.deepEqual(await ended(first), []);
  t.is((await first.find([over.id], socket)).kind, 'found');
  time.nowMs += 1;
  await first.expire();
  await first.close();
  t.is(await revisionOf(store, over.id), null);
  t.is((await second.find([elsewhere.id], socket)).kind, 'found');
  t.deepEqual(await ended(first), [true]);
});

test('a session whose process died after the last step expires for the others', async (t) => {
  const { time, first, second } = await openPair(t);
  const { id } = await begin(first);
  t.true(await takeStep(first, id, OVER));
  time.nowMs += IDLE_MS - 1;
  t.deepEqual(await ended(second), []);
  time.nowMs += 1;
  t.is((await second.find([id], socket)).kind, 'none');
  t.deepEqual(await ended(second), [false]);
});

test('a session that has ended while a request of it was on its way is not gone on with, and told of once', async (t) => {
  const { socket, first } = await openPair(t, false);
  const { id } = await beginHere(first, socket, OVER);
  const late = await found(first, id, socket);
  first.disconnected(socket);
  t.false(first.take(late));
  t.false(await first.end(late));
  t.deepEqual(await ended(first), [true]);
});
