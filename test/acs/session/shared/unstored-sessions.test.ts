import test from 'ava';
import type { Revision } from '../../../../store/index.js';
import {
  ASKED,
  begin,
  beginHere,
  connection,
  ended,
  found,
  IDLE_MS,
  OVER,
  openPair,
  sessionWith,
  storedIds,
  taken,
  takeStep,
  UPGRADE,
} from './setup.js';

test('a session that is over soon, over one connection, is never stored', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.true(await takeStep(first, id, OVER, socket));
  t.is(await first.count(), 1);
  first.disconnected(socket);
  t.deepEqual(await ended(first), [true]);
  t.is((await first.find([id], socket)).kind, 'none');
  await first.close();
  t.deepEqual(await storedIds(store), []);
});

test('behind a proxy, or where the CPE closes its connection, a session is stored before its Inform is answered', async (t) => {
  const proxied = await openPair(t, true);
  const behind = await beginHere(proxied.first, proxied.socket);
  t.deepEqual(await storedIds(proxied.store), [behind.id]);
  const direct = await openPair(t, false);
  const closing = await begin(direct.first, sessionWith(), direct.socket);
  t.deepEqual(await storedIds(direct.store), [closing.id]);
});

test('at its own process a session that is not stored goes on over any connection', async (t) => {
  const { socket, store, first } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.true(await takeStep(first, id, ASKED, connection()));
  t.deepEqual((await found(first, id, socket)).session, ASKED);
  t.deepEqual(await storedIds(store), []);
});

test('a session whose connection closes before it is over is stored, to go on anywhere', async (t) => {
  const { socket, first, second } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  t.true(await takeStep(first, id, ASKED, socket));
  first.disconnected(socket);
  t.deepEqual((await found(second, id, connection())).session, ASKED);
});

test('a process that stops leaves the sessions that are not over to the others', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const over = connection();
  const { id } = await beginHere(first, socket);
  const other = await beginHere(first, over);
  t.true(await takeStep(first, other.id, OVER, over));
  await first.close();
  t.deepEqual(await storedIds(store), [id]);
  t.true(await takeStep(second, id, OVER, connection()));
});

test('a session that is not stored is claimed by a commit that stores it', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const { id } = await beginHere(first, socket);
  const mine = await found(first, id, socket);
  t.true(first.take(mine));
  const claim = await first.claiming(mine);
  const outcome = await store.commit([claim.change]);
  if (!outcome.committed) return t.fail('it was refused');
  claim.made(outcome.revisions[0] as Revision);
  t.false(second.take(await found(second, id, connection())), 'nobody else takes the step');
  const download = sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true);
  t.true(await first.moved(mine, taken(download, socket)));
  first.release(mine);
  t.deepEqual((await found(second, id, connection())).session.outstanding, download.outstanding);
});

test('a silent session that was never stored has expired once its time is up', async (t) => {
  const { socket, time, first } = await openPair(t, false);
  const begun = beginHere(first, socket);
  time.nowMs += IDLE_MS;
  await begun;
  time.nowMs += IDLE_MS;
  t.deepEqual(await ended(first), [false]);
});
