import { randomInt } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { type Upgrade, upgradesIn } from '../../acs/index.js';
import { UPGRADES } from '../../acs/upgrade/upgrade.js';
import { type CpeId, DAY_MS, type ResultId, type RuleId, silentLogger } from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import { type Collected, type CollectOptions, collectImages, type ImageUses } from '../../firmware/index.js';
import { batchesIn, usesOfImages } from '../../rollout/index.js';
import { openRules, type RuleEngine, ruleIdIn } from '../../rules/index.js';
import { type LibraryOpener, NORTH, SOUTH, uploadOf } from '../firmware/support.js';
import { BY } from '../support/actor.js';
import { upgradeOf } from '../support/installation.js';
import { testSecrets } from '../support/secrets.js';

const NOW_MS = 1_800_000_000_000;
const OLD_MS = NOW_MS - 200 * DAY_MS;
const CPE = '00A1B2-HGW-1' as CpeId;

/** Two nodes on one store, each with images and rules; images are old unless told. */
async function begun(t: ExecutionContext, open: LibraryOpener) {
  const clock = { nowMs: OLD_MS };
  const opened = await open(t, { clock: () => clock.nowMs });
  const { store } = opened;
  const nodeOf = async (images: typeof opened.library) => {
    const rules = await openRules({
      store,
      clock: () => clock.nowMs,
      logger: silentLogger,
      secrets: testSecrets,
      resolveFile: async () => null,
      keepingFiles: (files) => images.going.keeping(files),
    });
    t.teardown(() => rules.close());
    return {
      images,
      rules,
      uses: usesOfImages({ rules, upgrades: upgradesIn(store), batches: batchesIn(store) }),
    };
  };
  const nodes = [await nodeOf(opened.library), await nodeOf(opened.another())] as const;
  const [node] = nodes;
  const upgrades = store.collection<Upgrade>(UPGRADES);
  let upgradeCount = 0;
  return {
    ...opened,
    clock,
    nodes,
    upgrades,
    add: (name: string, organization?: string, more: Parameters<typeof uploadOf>[2] = {}) =>
      node.images.upload(
        uploadOf(name, Buffer.from(name), { ...more, ...(organization && { organization }) }),
      ),
    rule: (rules: RuleEngine, id: string, file: string, organization?: string, more = {}) =>
      rules.put([{ id, file, condition: { productClass: 'HGW' }, ...more }], {
        by: BY,
        onlyNew: false,
        ...(organization && { organization }),
      }),
    upgrade: async (file: string, rule: RuleId, over: Partial<Upgrade> = {}) => {
      upgradeCount++;
      const id = `00000000-0000-4000-8000-${String(upgradeCount).padStart(12, '0')}` as ResultId;
      await upgrades.put({ ...upgradeOf(CPE, 1), id, file, campaignid: rule, status: false, ...over });
      return id;
    },
    collect: (
      options: Partial<CollectOptions> = {},
      { images, uses } = node as { images: typeof node.images; uses: ImageUses },
    ) =>
      collectImages(
        { images, uses },
        {
          unusedMs: 90 * DAY_MS,
          keepNewest: 0,
          keepBuilds: 0,
          dryRun: false,
          nowMs: NOW_MS,
          by: BY,
          ...options,
        },
      ),
  };
}

const gone = ({ removed }: Collected) => removed.map(({ name }) => name);
const stays = ({ kept }: Collected) =>
  kept.map(({ image, because, rules }) => [image.name, because, ...(rules ?? [])]);

/** What is kept to wherever contents lie. @param where  what the titles begin with */
export function defineKeepingTests(where: string, open: LibraryOpener): void {
  test(`${where}: what nobody needs goes, contents and all, and of the others it is told why they stay; a dry run says so beforehand`, async (t) => {
    const it = await begun(t, open);
    const [{ rules, images }] = it.nodes;
    for (const name of ['free', 'named', 'off', 'by-url', 'running', 'sent', 'sent-long-ago'])
      await it.add(`${name}.bin`);
    it.clock.nowMs = NOW_MS - DAY_MS;
    await it.add('young.bin');
    await it.rule(rules, 'one', 'named.bin');
    await it.rule(rules, 'two', 'off.bin', undefined, { enabled: false });
    await it.rule(rules, 'three', 'http://files.example:7567/files/by%2Durl.bin?x=1');
    await it.upgrade('running.bin', 'gone' as RuleId, { startedAtMs: OLD_MS });
    await it.upgrade('sent.bin', 'gone' as RuleId, { status: true, startedAtMs: NOW_MS - 30 * DAY_MS });
    await it.upgrade('sent-long-ago.bin', 'gone' as RuleId, {
      status: true,
      startedAtMs: NOW_MS - 100 * DAY_MS,
    });
    const dry = await it.collect({ dryRun: true });
    t.is((await images.list({ limit: 100 })).items.length, 8);
    const done = await it.collect();
    t.deepEqual(gone(done).sort(), ['free.bin', 'sent-long-ago.bin']);
    t.deepEqual(stays(done), [
      ['by-url.bin', 'named-by-rule', 'three'],
      ['named.bin', 'named-by-rule', 'one'],
      ['off.bin', 'named-by-rule', 'two'],
      ['running.bin', 'upgrade-running'],
      ['sent.bin', 'used-lately'],
      ['young.bin', 'young'],
    ]);
    t.deepEqual([gone(dry), stays(dry)], [gone(done), stays(done)]);
    await it.settle();
    t.is((await it.files()).content.length, 6);
    const told: string[] = [];
    const log = new EventLog({ store: it.store, clock: Date.now });
    for await (const { action, subjectId, by } of log.scan({ subject: 'image' }))
      if (action === 'removed') told.push(`${subjectId} by ${by?.name}`);
    t.deepEqual(told.sort(), [`free.bin by ${BY.name}`, `sent-long-ago.bin by ${BY.name}`]);
  });

  test(`${where}: the newest of each product class and hardware stay where so many are asked for`, async (t) => {
    const it = await begun(t, open);
    for (const [name, productClass] of [
      ['a1', 'A'],
      ['a2', 'A'],
      ['a3', 'A'],
      ['b1', 'B'],
    ] as const) {
      it.clock.nowMs += 1_000;
      await it.add(name, undefined, { metadata: { productClass } });
    }
    const done = await it.collect({ keepNewest: 2 });
    t.deepEqual(gone(done), ['a1']);
    t.deepEqual(stays(done), [
      ['a2', 'newest'],
      ['a3', 'newest'],
      ['b1', 'newest'],
    ]);
  });

  test(`${where}: a build stays or goes as a whole, the newest of each category where so many are asked for, and goes with its last image`, async (t) => {
    const it = await begun(t, open);
    const [{ rules, images }] = it.nodes;
    const { builds } = images;
    for (const category of ['gateways', 'boxes']) await builds.categories.add({ name: category }, BY, null);
    const versions: Readonly<Record<string, readonly string[]>> = { gateways: ['1', '2', '3'], boxes: ['1'] };
    for (const [category, numbers] of Object.entries(versions)) {
      for (const version of numbers) {
        it.clock.nowMs += 1_000;
        const { id } = await builds.add({ category, version }, BY, null);
        for (const type of ['a', 'b'])
          await it.add(`${category}-${version}${type}`, undefined, { place: { build: id, type } });
      }
    }
    await builds.add({ category: 'boxes', version: 'to come' }, BY, null);
    await it.rule(rules, 'one', 'gateways-1b');
    const dry = await it.collect({ dryRun: true, keepBuilds: 1 });
    t.is((await images.list({ limit: 100 })).items.length, 8);
    const done = await it.collect({ keepBuilds: 1 });
    const wentOf = ({ removedBuilds }: Collected) =>
      removedBuilds.map(({ id: _, category: __, ...held }) => held);
    for (const each of [dry, done]) {
      t.deepEqual(gone(each).sort(), ['gateways-2a', 'gateways-2b']);
      t.deepEqual(wentOf(each), [{ version: '2', imageCount: 2 }]);
      t.deepEqual(stays(each), [
        ['boxes-1a', 'newest-build'],
        ['boxes-1b', 'newest-build'],
        ['gateways-1a', 'build-stays'],
        ['gateways-1b', 'named-by-rule', 'one'],
        ['gateways-3a', 'newest-build'],
        ['gateways-3b', 'newest-build'],
      ]);
    }
    const left: string[] = [];
    for await (const { version } of builds.scan({ within: null })) left.push(version);
    t.deepEqual(left.sort(), ['1', '1', '3', 'to come']);
  });

  test(`${where}: of an organization only its own go, by its own rules; a shared one stays by anybody's`, async (t) => {
    const it = await begun(t, open);
    const [{ rules, images }] = it.nodes;
    for (const owner of [undefined, NORTH, SOUTH]) await it.add('a.bin', owner);
    await it.add('n.bin', NORTH);
    await it.add('s.bin');
    await it.rule(rules, 'all', 'a.bin');
    await it.rule(rules, 'south', 'n.bin', SOUTH);
    await it.rule(rules, 'north', 's.bin', NORTH);
    t.deepEqual(gone(await it.collect({ organization: NORTH })), ['a.bin', 'n.bin']);
    const shared = await it.collect();
    t.deepEqual(stays(shared), [
      ['a.bin', 'named-by-rule', 'all'],
      ['s.bin', 'named-by-rule', 'north'],
    ]);
    t.truthy(await images.get('a.bin', SOUTH));
  });

  test(`${where}: a rule that another node writes while it is looked, or after, saves its image`, async (t) => {
    const it = await begun(t, open);
    const [here, there] = it.nodes;
    for (const name of ['early.bin', 'late.bin', 'url.bin', 'free.bin']) await it.add(name);
    const uses: ImageUses = {
      ...here.uses,
      async *rules(organization) {
        await it.rule(there.rules, 'early', 'early.bin');
        yield* here.uses.rules(organization);
        // Nobody looks at rules again.
        await it.rule(there.rules, 'late', 'late.bin');
        await it.rule(there.rules, 'url', 'https://elsewhere.example/some/url.bin');
      },
    };
    const done = await it.collect({}, { images: here.images, uses });
    t.deepEqual(gone(done), ['free.bin']);
    t.deepEqual(stays(done), [
      ['early.bin', 'named-by-rule', 'early'],
      ['late.bin', 'changed-meanwhile'],
      ['url.bin', 'changed-meanwhile'],
    ]);
    t.deepEqual(gone(await it.collect()), []);
  });

  test(`${where}: a second collection ends the first, and what was uploaded anew meanwhile stays`, async (t) => {
    const it = await begun(t, open);
    const [here, there] = it.nodes;
    for (const name of ['a.bin', 'b.bin']) await it.add(name);
    let second: Collected | null = null;
    const uses: ImageUses = {
      ...here.uses,
      async *rules(organization) {
        yield* here.uses.rules(organization);
        await there.images.remove('b.bin', BY);
        it.clock.nowMs = NOW_MS;
        await it.add('b.bin');
        second = await it.collect({}, there);
        await it.add('a.bin');
      },
    };
    const first = await it.collect({}, { images: here.images, uses });
    t.deepEqual(second === null ? [] : gone(second), ['a.bin']);
    t.deepEqual(stays(first), [
      ['a.bin', 'changed-meanwhile'],
      ['b.bin', 'changed-meanwhile'],
    ]);
    t.is((await here.images.list({ limit: 10 })).items.length, 2);
  });

  test(`${where}: what comes into a build meanwhile stays`, async (t) => {
    const it = await begun(t, open);
    const [here, there] = it.nodes;
    for (const name of ['a.bin', 'b.bin']) await it.add(name);
    const { builds } = there.images;
    await builds.categories.add({ name: 'gateways' }, BY, null);
    const { id: build } = await builds.add({ category: 'gateways', version: '1' }, BY, null);
    const uses: ImageUses = {
      ...here.uses,
      async *rules(organization) {
        yield* here.uses.rules(organization);
        await there.images.move('a.bin', { build, type: 'a' }, BY);
      },
    };
    const done = await it.collect({}, { images: here.images, uses });
    t.deepEqual(gone(done), ['b.bin']);
    t.deepEqual(stays(done), [['a.bin', 'changed-meanwhile']]);
  });

  test(`${where}: one that died leaves marks that keep nobody from anything`, async (t) => {
    const it = await begun(t, open);
    const [here, there] = it.nodes;
    await it.add('a.bin');
    await it.add('b.bin');
    await here.images.going.mark(['a.bin', 'b.bin']);
    await it.rule(there.rules, 'one', 'a.bin');
    t.deepEqual(gone(await it.collect({}, there)), ['b.bin']);
  });

  test(`${where}: whatever two nodes do at once, nothing goes that a rule or a running upgrade names`, async (t) => {
    const it = await begun(t, open);
    const names = ['a.bin', 'b.bin', 'c.bin'];
    const owners = [undefined, NORTH] as const;
    const pick = <T>(from: readonly T[]): T => from[randomInt(from.length)] as T;
    const { images } = it.nodes[0];
    for (let round = 0; round < 25; round++) {
      for (const owner of owners) for (const name of names) await it.add(name, owner);
      const [ruleOwner, name] = [pick(owners), pick(names)];
      const id = `r${round % 4}`;
      const work: Promise<unknown>[] = [];
      for (const node of it.nodes)
        work.push(it.collect({ ...(pick([true, false]) && { organization: NORTH }) }, node));
      let isNamed = false;
      const writing = async () => {
        for (let turns = randomInt(12); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
        await it.rule(pick(it.nodes).rules, id, name, ruleOwner);
        // What had gone before it was written it names in vain, as ever.
        isNamed = (await images.get(name, ruleOwner))?.organization === ruleOwner;
      };
      work.push(writing());
      await Promise.all(work);
      const message = `round ${round}: ${name} of ${ruleOwner}`;
      if (isNamed) t.is((await images.get(name, ruleOwner))?.organization, ruleOwner, message);
      // The rule goes, its upgrade runs on.
      const stored = ruleOwner === undefined ? (id as RuleId) : ruleIdIn(ruleOwner, id as RuleId);
      await it.add(name, ruleOwner);
      const running = await it.upgrade(name, stored);
      const removing = it.nodes[1].rules.remove([stored], BY);
      await Promise.all([
        removing,
        ...it.nodes.map((node) => it.collect({ ...(ruleOwner && { organization: ruleOwner }) }, node)),
      ]);
      t.is((await images.get(name, ruleOwner))?.organization, ruleOwner, message);
      await it.upgrades.delete(running);
    }
  });
}
