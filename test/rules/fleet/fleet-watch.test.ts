import test, { type ExecutionContext } from 'ava';
import type { Document as BsonDocument } from 'mongodb';
import type { RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { openMongoStore, type Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { until } from '../../support/ferry.js';
import { mongodbUrl, portOf, proxiedUrl, readableTest, testDatabase } from '../../support/mongodb.js';
import { commandReader } from '../../support/mongodb-commands.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { deaf, inputOf, openTestRules, post, ruleBody, verdictsOf } from '../setup.js';

const url = mongodbUrl();
const R1 = 'r1' as RuleId;
const DECISIONS = 50;

/** An engine that is never told what others change: as any may be for the better part of a second. */
async function openWithDeaf(t: ExecutionContext) {
  const here = await openTestRules(t);
  return { rules: here.rules, store: here.store, behind: (await openTestRules(t, deaf(here.store))).rules };
}

test('a rule that was switched off, frozen or removed elsewhere reserves nothing, however old what a node knows', async (t) => {
  const { rules, store, behind } = await openWithDeaf(t);
  await post(rules, ruleBody());
  t.is((await behind.decide(inputOf())).kind, 'upgrade');
  const ways: (() => Promise<unknown>)[] = [
    () => rules.merge([R1], { enabled: false }, BY),
    () => rules.merge([R1], { enabled: true, window: { cron: '0 9 * * *', durationMinutes: 1 } }, BY),
    () => rules.merge([R1], { window: null, condition: { productClass: 'STB' } }, BY),
    () => rules.remove([R1], BY),
  ];
  for (const [at, change] of ways.entries()) {
    await change();
    const old = await behind.decide(inputOf());
    if (old.kind !== 'upgrade') return t.fail(`way ${at}: ${old.kind}: it is not behind`);
    t.false((await store.commit(old.conditions)).committed, `way ${at}`);
    // What a session does then.
    t.is((await behind.decide(inputOf({}, { afresh: true }))).kind, 'nothing', `way ${at}`);
    await rules.remove([R1], BY);
    await post(rules, ruleBody());
    t.is((await behind.decide(inputOf({}, { afresh: true }))).kind, 'upgrade');
  }
  // The brake is looked at in every decision that gets so far.
  await rules.freeze({ frozen: true, by: byCommand('test') });
  t.is((await behind.decide(inputOf())).kind, 'frozen');
});

test('who asks why is told of what is stored, however old what the sessions know', async (t) => {
  const { rules, behind } = await openWithDeaf(t);
  await post(rules, ruleBody());
  t.is((await behind.decide(inputOf())).kind, 'upgrade');
  await rules.merge([R1], { enabled: false }, BY);
  t.is((await behind.decide(inputOf())).kind, 'upgrade');
  const { rules: explained } = await behind.explain(inputOf());
  t.deepEqual(
    explained.map(({ verdict }) => verdict),
    ['disabled'],
  );
});

function define(mongodb: string): void {
  const open = async (t: ExecutionContext, database: string, address = mongodb): Promise<Store> => {
    const store = await openMongoStore({ url: address, database, timeoutMs: 60_000 });
    t.teardown(() => store.close());
    return store;
  };

  readableTest(mongodb)(
    'on MongoDB decisions do not read the generation of the fleet while nothing changes',
    async (t) => {
      const database = testDatabase(t, mongodb);
      const proxy = await startTcpProxy(t, portOf(mongodb));
      let reads = 0;
      const read = commandReader((command: BsonDocument) => {
        if (command['find'] === 'rule-generations') reads++;
      });
      proxy.onRequest = (bytes, client) => {
        read(bytes, client);
        return true;
      };
      const store = await open(t, database, proxiedUrl(mongodb, proxy.port));
      const { rules } = await openTestRules(t, store);
      await post(rules, ruleBody());
      // However the machine stands still now and then, most of a row of decisions are made without.
      await until('a row of decisions has read it no more than once', async () => {
        const before = reads;
        for (let at = 0; at < DECISIONS; at++) {
          t.is((await rules.decide(inputOf())).kind, 'upgrade');
        }
        return reads - before <= 1;
      });
      t.true(reads > 0);
    },
  );

  test.serial('on MongoDB a rule of another node is in force soon, and one of this at once', async (t) => {
    const database = testDatabase(t, mongodb);
    const { rules } = await openTestRules(t, await open(t, database));
    const { rules: other } = await openTestRules(t, await open(t, database));
    const seen = async () => verdictsOf(await other.decide(inputOf()))['r1'];
    for (let round = 0; round < 5; round++) {
      await post(rules, ruleBody());
      await until(`post ${round} is seen`, async () => (await seen()) === 'chosen');
      await rules.merge([R1], { enabled: false }, BY);
      await until(`switch ${round} is seen`, async () => (await seen()) === undefined);
      await other.merge([R1], { enabled: true }, BY);
      t.is(await seen(), 'chosen');
      await other.remove([R1], BY);
      t.is(await seen(), undefined);
    }
  });
}

if (url !== null) define(url);
