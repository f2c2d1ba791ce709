import test from 'ava';
import type { Revision } from '../../../../store/index.js';
import {
  ASKED,
  begin,
  connection,
  found,
  IDLE_MS,
  OVER,
  openPair,
  revisionOf,
  sessionWith,
  taken,
  takeStep,
  UPGRADE,
} from './setup.js';

test('what one process began another finds by its cookie, as it is', async (t) => {
  const { first, second } = await openPair(t);
  const session = sessionWith({ request: 'GetParameterValues', names: ['Device.A', 'Device.B'] }, true);
  const { id } = await begin(first, session);
  const entry = await found(second, id);
  t.deepEqual(entry.session, session);
  t.is(entry.ip, '192.0.2.1');
});

test('a session in which the CPE is asked what it has queued is found as it is', async (t) => {
  const { first, second } = await openPair(t);
  for (const repeats of [0, 1, null]) {
    const question = { request: 'GetAllQueuedTransfers', upgradeId: UPGRADE, repeats } as const;
    const begun = sessionWith(question, true);
    const doubt = { upgradeId: UPGRADE, repeats: 1, announced: false };
    const session = { ...begun, facts: { ...begun.facts, doubt }, queueKnown: true };
    const { id } = await begin(first, session);
    t.deepEqual((await found(second, id)).session, session);
  }
});

test('of two processes that take the same step one may answer', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first);
  const entries = await Promise.all([found(first, id), found(second, id)]);
  const moved = await Promise.all([
    first.moved(entries[0], taken(ASKED)),
    second.moved(entries[1], taken(ASKED)),
  ]);
  t.deepEqual(moved.sort(), [false, true]);
});

test('a commit that claims the step is made by one, and nobody else takes the step until that one has answered', async (t) => {
  const { store, first, second } = await openPair(t);
  const { id } = await begin(first);
  const [mine, theirs] = await Promise.all([found(first, id), found(second, id)]);
  t.true((await store.commit([(await first.claiming(mine)).change])).committed);
  t.false((await store.commit([(await second.claiming(theirs)).change])).committed);
  t.false(await second.moved(theirs, taken(sessionWith(null, true))));
  t.false(second.take(await found(second, id)), 'a third request while the first is being answered');
  const download = sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true);
  t.true(await first.moved(mine, taken(download)));
  const next = await found(second, id);
  t.true(second.take(next));
  t.deepEqual(next.session.outstanding, download.outstanding);
  t.true(await second.moved(next, taken(sessionWith(null, true))));
});

test('whoever knows that its claim is made goes on from there', async (t) => {
  const { store, first, second } = await openPair(t);
  const { id } = await begin(first);
  const mine = await found(first, id);
  const claim = await first.claiming(mine);
  const outcome = await store.commit([claim.change]);
  if (!outcome.committed) return t.fail('it was refused');
  claim.made(outcome.revisions[0] as Revision);
  t.false(second.take(await found(second, id)));
  t.true(await first.moved(mine, taken(ASKED)));
  t.deepEqual((await found(second, id)).session, ASKED);
});

test('a step that was claimed by a process that died is open to others after ten seconds', async (t) => {
  const { store, time, first, second } = await openPair(t);
  const { id } = await begin(first);
  t.true((await store.commit([(await first.claiming(await found(first, id))).change])).committed);
  time.nowMs += 9_999;
  t.false(second.take(await found(second, id)));
  time.nowMs += 1;
  t.true(second.take(await found(second, id)));
});

for (const sharedConnections of [false, true]) {
  const where = sharedConnections ? 'behind a proxy' : 'over a connection of its own';

  test(`a step that finds nothing to do leaves nothing behind, ${where}`, async (t) => {
    const { socket, store, first, second } = await openPair(t, sharedConnections);
    const { id } = await begin(first, sessionWith(), socket);
    const revision = await revisionOf(store, id);
    t.true(await takeStep(first, id, OVER, socket));
    t.is(await revisionOf(store, id), revision);
    t.deepEqual((await found(first, id, socket)).session, OVER, 'it is remembered');
    t.deepEqual(
      (await found(second, id, connection())).session,
      sessionWith(),
      'a repeat elsewhere is answered alike',
    );
    t.true(await takeStep(second, id, OVER, connection()));
    t.is(await revisionOf(store, id), revision);
  });

  test(`a step that asks something of the CPE, or takes its answer, is stored, ${where}`, async (t) => {
    const { socket, store, first } = await openPair(t, sharedConnections);
    const { id } = await begin(first, sessionWith(), socket);
    const revisions = new Set([await revisionOf(store, id)]);
    for (const session of [ASKED, OVER, ASKED, sessionWith()]) {
      t.true(await takeStep(first, id, session, socket));
      revisions.add(await revisionOf(store, id));
    }
    t.is(revisions.size, 5);
  });
}

test('a message that leaves the session as it is need not be stored but to keep the session alive', async (t) => {
  const { socket, store, time, first, second } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  const revision = await revisionOf(store, id);
  t.true(await takeStep(first, id, sessionWith(), socket));
  t.is(await revisionOf(store, id), revision);
  time.nowMs += IDLE_MS - 1_000;
  t.true(await takeStep(first, id, sessionWith(), socket));
  time.nowMs += IDLE_MS - 1_000;
  t.is((await second.find([id], connection())).kind, 'found', 'its CPE has just spoken');
});

test('what is remembered and others have gone on with is not stored, but gone on with as it is', async (t) => {
  const { socket, first, second } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  t.true(await takeStep(second, id, ASKED, connection()));
  const entry = await found(first, id, socket);
  t.deepEqual(entry.session, sessionWith(), 'the connection is that of the last step here');
  t.true(first.take(entry));
  t.false(await first.moved(entry, taken(ASKED)));
  first.release(entry);
  const newer = await first.newer(entry);
  t.deepEqual(newer?.session, ASKED);
  if (newer === null) return;
  t.true(first.take(newer));
  t.true(await first.moved(newer, taken(OVER)));
  first.release(newer);
  t.is(await first.newer(newer), null, 'the store was asked already');
  t.is(await first.newer(await found(first, id, socket)), null, 'nothing is newer');
});

test('a reservation on what is remembered and others have gone on with is refused', async (t) => {
  const { socket, store, first, second } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  t.true(await takeStep(second, id, ASKED, connection()));
  const entry = await found(first, id, socket);
  t.true(first.take(entry));
  t.false((await store.commit([(await first.claiming(entry)).change])).committed);
  t.deepEqual((await first.newer(entry))?.session, ASKED);
});

test('of two requests of a session at one process one is worked on', async (t) => {
  const { socket, first } = await openPair(t, false);
  const { id } = await begin(first, sessionWith(), socket);
  const [one, other] = [await found(first, id, socket), await found(first, id, socket)];
  t.true(first.take(one));
  t.false(first.take(other));
  t.true(await first.moved(one, taken(ASKED)));
  first.release(one);
  t.true(first.take(other));
  t.deepEqual(other.session, ASKED, 'whoever comes next goes on from there');
});

test('a Download is waited for by the process that sent it, until any has taken the answer', async (t) => {
  const { first, second } = await openPair(t);
  const { id } = await begin(first);
  await first.moved(
    await found(first, id),
    taken(sessionWith({ request: 'Download', upgradeId: UPGRADE, repeats: 0 }, true)),
  );
  t.true(await first.awaitsDownload());
  t.false(await second.awaitsDownload());
  await second.moved(await found(second, id), taken(sessionWith(null, true)));
  t.false(await first.awaitsDownload());
});

test('one more decision that a CPE has asked for is known wherever it goes on', async (t) => {
  const { socket, first, second } = await openPair(t, false);
  const decided = (decisions: number) => ({ ...OVER, tasks: { ...OVER.tasks, decisions } });
  const { id } = await begin(first, decided(0), socket);
  t.true(await takeStep(first, id, decided(1), socket));
  t.is((await found(second, id, connection())).session.tasks.decisions, 1);
});
