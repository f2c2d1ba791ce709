import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { type Device, PARAMETERS, type ParameterDocument } from '../../../acs/device/device.js';
import { bytesOfAll, PARAMETERS_BYTES_MAX } from '../../../acs/device/parameter-bound.js';
import { ParameterStore } from '../../../acs/device/parameter-store.js';
import { openLmdbStore, type Store } from '../../../store/index.js';
import { openTestStore, overwrite, storeOf } from '../../support/store.js';

const BYTES_MAX = 1_000;
const FRESH = { id: 'x', root: 'Device' } as Device;

/** One CPE's parameters, brought up to one report after the other as sessions do it. */
class Cpe {
  device = FRESH;
  nowMs = 0;
  named: readonly string[] = [];
  #timesAsked = 0;
  readonly parameters;

  constructor(
    private readonly store: Store,
    bytesMax = BYTES_MAX,
  ) {
    this.parameters = new ParameterStore(store, bytesMax);
  }

  /** How often somebody had to look at the rules. */
  get timesAsked(): number {
    return this.#timesAsked;
  }

  async report(values: Readonly<Record<string, string | number | boolean>>, afresh = false): Promise<number> {
    const reported = Object.entries(values).map(([name, value]) => ({ name, value, xsdType: 'xsd:string' }));
    this.nowMs += 1;
    const { device, changes } = await this.parameters.taking(this.device, reported, {
      afresh,
      nowMs: this.nowMs,
      named: async () => {
        this.#timesAsked += 1;
        return this.named;
      },
    });
    if (changes.length > 0) {
      const outcome = await this.store.commit(changes);
      if (!outcome.committed) throw new Error('A report was refused');
    }
    this.device = device;
    return changes.length;
  }

  async names(): Promise<readonly string[]> {
    return Object.keys(await this.parameters.flat(this.device.id)).sort();
  }

  async bytes(): Promise<number> {
    let bytes = 0;
    for await (const { document } of this.store.collection<ParameterDocument>(PARAMETERS).scan({})) {
      bytes += bytesOfAll(document.values);
    }
    return bytes;
  }
}

async function cpe(t: ExecutionContext): Promise<Cpe> {
  return new Cpe(await storeOf(t));
}

/** A subtree of about so many bytes: so many parameters of 100. */
function subtree(name: string, hundreds: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: hundreds }, (_, index) => {
      const full = `Device.${name}.P${index}`;
      return [full, 'v'.repeat(100 - full.length)];
    }),
  );
}

test('what is kept of one CPE is 2 MiB of names and values', (t) => {
  t.is(PARAMETERS_BYTES_MAX, 2_097_152);
  // As UTF-8, a number and a flag as they are written.
  t.is(bytesOfAll({ 'Device.A.B': 'ä€', 'Device.A.C': 12.5, 'Device.A.D': true }), 30 + 5 + 4 + 4);
});

test('as long as all is within the bound nothing is cut, and nobody asks the rules', async (t) => {
  const at = await cpe(t);
  t.is(await at.report(subtree('A', 5)), 1);
  t.is(await at.report(subtree('B', 5)), 1);
  t.is(await at.report(subtree('B', 5)), 0);
  t.deepEqual([at.device.parametersBytes, at.device.parametersCut, at.timesAsked], [1_000, undefined, 0]);
  t.is((await at.names()).length, 10);
});

test('beyond the bound the subtree that has not changed for longest goes, and the device says so', async (t) => {
  const at = await cpe(t);
  await at.report(subtree('B', 4));
  await at.report(subtree('A', 4));
  await at.report({ 'Device.B.P0': 'changed' });
  await at.report(subtree('C', 4));
  t.deepEqual([...new Set((await at.names()).map((name) => name.slice(0, 8)))], ['Device.B', 'Device.C']);
  t.deepEqual(at.device.parametersCut, { subtrees: ['Device.A'], bytes: 400 });
  t.is(at.device.parametersBytes, await at.bytes());
});

test('what conditions name, DeviceInfo and ManagementServer stay; what was asked for once goes after the rest', async (t) => {
  const at = await cpe(t);
  at.named = ['Device.Named.', 'Device.Exact.P0'];
  at.device = { ...FRESH, askedPaths: ['Device.Asked.P0'] };
  for (const name of ['Named', 'Exact', 'DeviceInfo', 'ManagementServer', 'Asked', 'Spare'])
    await at.report(subtree(name, 1));
  await at.report(subtree('New', 5));
  t.deepEqual(at.device.parametersCut, { subtrees: ['Device.Spare'], bytes: 100 });
  // What is reported goes as well where nobody needs it: the rest is not worth less for being older.
  await at.report(subtree('Newer', 6));
  t.deepEqual(at.device.parametersCut, {
    subtrees: ['Device.New', 'Device.Newer', 'Device.Spare'],
    bytes: 1_100,
  });
  await at.report(subtree('DeviceInfo', 7));
  const kept = new Set((await at.names()).map((name) => name.split('.')[1]));
  t.deepEqual([...kept].sort(), ['DeviceInfo', 'Exact', 'ManagementServer', 'Named']);
  t.is(at.device.parametersBytes, 1_000);
});

test('where even what is needed is too much it loses what no condition names, and what came last first', async (t) => {
  const at = await cpe(t);
  at.named = ['Device.WiFi.P9'];
  await at.report(subtree('WiFi', 8));
  await at.report({ ...subtree('WiFi', 12), ...subtree('DeviceInfo', 1) });
  const names = await at.names();
  t.true(names.includes('Device.WiFi.P9'));
  t.true(names.includes('Device.WiFi.P0'));
  t.false(names.includes('Device.WiFi.P11'));
  t.true((at.device.parametersBytes ?? 0) <= BYTES_MAX);
  t.is(at.device.parametersBytes, await at.bytes());
  t.deepEqual(at.device.parametersCut?.subtrees, ['Device.DeviceInfo', 'Device.WiFi']);
});

test('a BOOTSTRAP replaces all, and what was cut before is told of no more', async (t) => {
  const at = await cpe(t);
  await at.report(subtree('A', 8));
  await at.report(subtree('B', 8));
  t.not(at.device.parametersCut, undefined);
  await at.report(subtree('C', 2), true);
  t.deepEqual([at.device.parametersBytes, at.device.parametersCut], [200, undefined]);
  t.deepEqual(await at.names(), ['Device.C.P0', 'Device.C.P1']);
  await at.report({ ...subtree('D', 9), ...subtree('C', 9) }, true);
  t.is(at.device.parametersBytes, 900);
  t.is(await at.bytes(), 900);
});

test('what an older version kept beyond the bound goes with the next report, whatever that says', async (t) => {
  const store = await storeOf(t);
  const at = new Cpe(store);
  const documents = store.collection<ParameterDocument>(PARAMETERS);
  for (const name of ['A', 'B', 'C', 'DeviceInfo'])
    await documents.put({ id: `x/Device.${name}`, values: subtree(name, 9) });
  // Until then no more than the bound is read of it at once.
  t.true((await at.names()).length <= 10);
  await at.report({});
  t.deepEqual([at.device.parametersBytes, await at.bytes()], [900, 900]);
  t.deepEqual(at.device.parametersCut, { subtrees: ['Device.A', 'Device.B', 'Device.C'], bytes: 2_700 });
});

test('names beyond a thousand in a subtree, and subtrees beyond 64, are told of as well', async (t) => {
  const at = new Cpe(await storeOf(t), PARAMETERS_BYTES_MAX);
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`Device.A.P${index}`, 1]));
  await at.report(many);
  t.deepEqual(at.device.parametersCut, { subtrees: ['Device.A'], bytes: 15 });
  await at.report({ 'Device.A.Q': true });
  t.deepEqual(at.device.parametersCut, { subtrees: ['Device.A'], bytes: 14 });
  const wide = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`Device.S${index}.P`, 1]));
  await at.report(wide);
  t.deepEqual(at.device.parametersCut?.subtrees, ['Device.A', 'Device.S63']);
});

test('what of a subtree cannot be read is as good as not there, and made anew when the CPE tells it again', async (t) => {
  const { store: sound, directory } = await openTestStore();
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const before = new Cpe(sound);
  await before.report({
    ...subtree('A', 3),
    ...subtree('C', 2),
    'Device.B.P0': 'the-marker',
    'Device.B.P1': 1,
  });
  await sound.close();
  await overwrite(join(directory, 'data.mdb'), '"the-marker"', '!!!!!!!!!!!!');
  const store = await openLmdbStore({ directory });
  t.teardown(() => store.close());
  const at = new Cpe(store);
  at.device = before.device;
  t.deepEqual(Object.keys(await at.parameters.flat(at.device.id, ['Device.B', 'Device.C'])), [
    'Device.C.P0',
    'Device.C.P1',
  ]);
  t.is(store.damage.documents, 1);
  t.is(await at.report({ 'Device.B.P0': 'told again' }), 1);
  t.deepEqual(await at.parameters.flat(at.device.id, ['Device.B']), { 'Device.B.P0': 'told again' });
  t.is(at.device.parametersBytes, await at.bytes());
  t.is(at.device.parametersBytes, 500 + 'Device.B.P0told again'.length);
});

/** How often everything else in the process had its turn meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let next: NodeJS.Immediate;
  const turn = () => {
    turns++;
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  await work();
  clearImmediate(next);
  return turns;
}

test('while a report on a large data model is taken everybody else has a turn every few subtrees; a usual one needs none', async (t) => {
  t.timeout(60_000);
  const at = new Cpe(await storeOf(t), PARAMETERS_BYTES_MAX);
  const reported = (names: readonly string[], value: string) =>
    names.map((name) => ({ name: `Device.${name}.P0`, value, xsdType: 'xsd:string' }));
  const taking = (names: readonly string[], value = 'changed', afresh = false) =>
    turnsDuring(() =>
      at.parameters.taking(at.device, reported(names, value), {
        afresh,
        nowMs: 1_000,
        named: async () => at.named,
      }),
    );
  const names = Array.from({ length: 48 }, (_, index) => `S${index}`);
  const model = (subtrees: readonly string[], hundreds: number) =>
    Object.fromEntries(subtrees.flatMap((name) => Object.entries(subtree(name, hundreds))));
  await at.report(model(names.slice(0, 8), 10));
  t.is(await taking(names.slice(0, 8)), 0);
  await at.report(model(names, 430));
  t.is(at.device.parametersCut, undefined);
  t.true((await taking(names)) >= 24, 'changed values');
  at.named = names.map((name) => `Device.${name}.`);
  const tooMuch = ['New', ...names.slice(0, 47)];
  t.true((await taking(tooMuch, 'x'.repeat(1_024))) >= 24 + 6, 'over the bound');
  t.true((await taking(['S0'], 'told', true)) >= 5, 'after a factory reset');
  const many = Array.from({ length: 12_000 }, (_, index) => `Many.P${index}`);
  t.true((await taking(many)) >= 11, 'a large report');
});

test('the data model that an older version has kept is read once to be measured', async (t) => {
  const store = await storeOf(t);
  const documents = store.collection<ParameterDocument>(PARAMETERS);
  for (const name of ['A', 'B', 'C', 'DeviceInfo'])
    await documents.put({ id: `x/Device.${name}`, values: subtree(name, 9) });
  let reads = 0;
  const counting = new Proxy(documents, {
    get: (collection, name) => {
      if (name === 'find' || name === 'scan') reads++;
      const value: unknown = Reflect.get(collection, name);
      return typeof value === 'function' ? value.bind(collection) : value;
    },
  });
  const counted = new Proxy(store, {
    get: (target, name) => {
      if (name === 'collection') return () => counting;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const at = new Cpe(counted);
  await at.report({});
  t.is(at.device.parametersBytes, 900);
  t.is(reads, 1);
});

test('of the subtrees that are asked for no other is read', async (t) => {
  const at = await cpe(t);
  await at.report({ ...subtree('A', 1), ...subtree('B', 1), 'InternetGatewayDevice.A.P': 1 });
  t.deepEqual(Object.keys(await at.parameters.flat(at.device.id, ['Device.B', 'Device.Missing'])), [
    'Device.B.P0',
  ]);
  t.deepEqual(await at.parameters.flat(at.device.id, []), {});
  t.is(Object.keys(await at.parameters.flat(at.device.id, null)).length, 3);
});

test('what the device says is kept is what is stored, to the byte, and never beyond the bound, whatever is reported', async (t) => {
  const store = await storeOf(t);
  const name = fc
    .tuple(fc.constantFrom('A', 'B', 'C', 'DeviceInfo', 'Named'), fc.nat({ max: 12 }))
    .map(([subtree, number]) => `Device.${subtree}.P${number}`);
  const value = fc.oneof(
    fc.constantFrom<string | number | boolean>(1, 2.5, true, 'ä', ''),
    fc.nat({ max: 60 }).map((length) => '€'.repeat(length)),
    fc.nat({ max: 90 }).map((length) => 'x'.repeat(length)),
  );
  const report = fc.record({
    values: fc.dictionary(name, value, { maxKeys: 12 }),
    afresh: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  });
  let cut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(report, { minLength: 1, maxLength: 12 }), async (reports) => {
      await store.clear(PARAMETERS);
      const at = new Cpe(store);
      at.named = ['Device.Named.', 'Device.A.P1'];
      for (const { values, afresh } of reports) {
        await at.report(values, afresh);
        const bytes = await at.bytes();
        if (at.device.parametersBytes !== bytes || bytes > BYTES_MAX)
          throw new Error(`${bytes} bytes are stored, and the device says ${at.device.parametersBytes}`);
        if (at.device.parametersCut !== undefined) cut += 1;
      }
    }),
    { numRuns: 30 },
  );
  t.true(cut > 0);
});

test('a secret that an older version has stored is read as "set", and goes with the next report of it', async (t) => {
  const store = await storeOf(t);
  const documents = store.collection<ParameterDocument>(PARAMETERS);
  const [name, empty] = ['Device.PPP.Interface.1.Password', 'Device.PPP.Interface.2.Password'];
  await documents.put({ id: `${FRESH.id}/Device.PPP`, values: { [name]: 'hunter2', [empty]: '' } });
  const known = new Cpe(store);
  t.deepEqual(await known.parameters.flat(FRESH.id), { [name]: 'set', [empty]: '' });
  t.is(JSON.stringify(await known.parameters.tree(FRESH.id, ['Device.PPP'])).includes('hunter2'), false);
  await known.report({ [name]: 'set' });
  t.deepEqual((await documents.get(`${FRESH.id}/Device.PPP`))?.document.values, {
    [name]: 'set',
    [empty]: '',
  });
});
