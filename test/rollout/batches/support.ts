import type { ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { namesakesIn } from '../../../acs/index.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { UPGRADES, type Upgrade } from '../../../acs/upgrade/upgrade.js';
import { UpgradeStore } from '../../../acs/upgrade/upgrade-store.js';
import type { BatchId, CpeId, OrganizationId, ResultId, RuleId } from '../../../common/index.js';
import { silentLogger } from '../../../common/index.js';
import { EVENTS, type EventDocument } from '../../../events/index.js';
import {
  ORGANIZATION_STATE,
  ORGANIZATIONS,
  type OrganizationDocument,
  STATE_ID,
  type StateDocument,
} from '../../../organizations/organization.js';
import {
  BATCHES,
  type Batch,
  type BatchesParts,
  type BatchTarget,
  type BuildTargets,
  type Calling,
  type NewBatch,
  OPERATION_SHARES,
  OPERATIONS,
  type OpenedBatches,
  type Operation,
  OperationLedger,
  type OperationState,
  OperationStore,
  openBatches,
  type UnderWay,
} from '../../../rollout/index.js';
import {
  type Decision,
  modelOf,
  openRules,
  RULE_GATES,
  type RuleGate,
  type StoredRule,
} from '../../../rules/index.js';
import type { Store } from '../../../store/index.js';
import { NORTH, openTestLibrary, SOUTH, uploadOf } from '../../firmware/support.js';
import { BY } from '../../support/actor.js';
import { deviceOf } from '../../support/installation.js';
import { testSecrets } from '../../support/secrets.js';

export { BY, NORTH, SOUTH };
/** The default organization. */
export const HOME = '33333333-3333-4333-8333-333333333333';
export const IMAGE = 'hgw-2.0.0.bin';
export const TARGET = '2.0.0';
export const START_MS = Date.UTC(2026, 0, 31, 2, 30);

const LOCATION = { url: 'http://127.0.0.1/hgw-2.0.0.bin', fileType: '1 Firmware Upgrade Image' };

/** What this process is told of calls, instead of CPEs being called. */
export class Calls implements Calling {
  free = 1_000;
  readonly made: CpeId[] = [];

  isCalling(): boolean {
    return false;
  }

  call(cpeid: CpeId, onEnd: (code: number) => void): void {
    this.made.push(cpeid);
    onEnd(200);
  }
}

export interface OpenOptions {
  readonly store?: Store;
  /** Whose word of the devices of builds it is. */
  readonly targets?: BuildTargets;
  readonly underWay?: UnderWay;
  readonly resultDays?: number;
}

/** Batches on a real store, with real rules, images, CPEs and upgrades; sessions are begun and ended by hand. */
export async function openTestBatches(t: ExecutionContext, options: OpenOptions = {}) {
  const clock = { nowMs: START_MS };
  const now = (): number => clock.nowMs;
  const { library, store } = await openTestLibrary(t, { clock: now });
  await haveDirectory(store);
  const rules = await openRules({
    store,
    clock: now,
    monotonic: now,
    logger: silentLogger,
    secrets: testSecrets,
    resolveFile: async (file, organization) => (file.includes('://') ? {} : library.get(file, organization)),
    keepingFiles: (files) => library.going.keeping(files),
    namesakesOf: namesakesIn(store),
  });
  const devices = new DeviceStore({ store, clock: now, logger: silentLogger });
  const operations = new OperationStore(store);
  const ledger = new OperationLedger({ store, clock: now, images: library });
  const upgrades = new UpgradeStore({
    store,
    devices,
    rules,
    owned: ledger,
    clock: now,
    logger: silentLogger,
    metrics: createAcsMetrics(new Registry(), () => 0),
  });
  const calls = new Calls();
  const parts: BatchesParts = {
    store,
    clock: now,
    monotonic: now,
    logger: silentLogger,
    rules,
    images: library,
    devices,
    operations,
    ledger,
    buildTargets: options.targets ?? { async *targetsOf() {} },
    turn: (work) => work(),
    calling: calls,
    underWay: options.underWay ?? null,
    resultDays: options.resultDays ?? 400,
  };
  const open = (over: Partial<BatchesParts> = {}): OpenedBatches => {
    const opened = openBatches({ ...parts, ...over });
    t.teardown(() => opened.close());
    return opened;
  };
  t.teardown(async () => {
    await devices.close();
    await rules.close();
  });
  await library.upload(uploadOf(IMAGE, Buffer.from(IMAGE), { metadata: { softwareVersion: TARGET } }));
  const documents = store.collection<Operation>(OPERATIONS);
  const read = async (cpeid: CpeId) => {
    const stored = await devices.read(cpeid);
    if (stored === null) throw new Error(`${cpeid} is not known`);
    return stored;
  };
  const decide = async (device: Device): Promise<Decision> => {
    const organizations = await devices.organizations();
    const organization = organizations.of(device.organization)?.id;
    return rules.decide({
      context: {
        cpeid: device.id,
        oui: device.oui,
        productClass: device.productClass,
        serialNumber: device.serialNumber,
        manufacturer: device.manufacturer,
        ...(device.softwareVersion !== undefined && { softwareVersion: device.softwareVersion }),
        events: ['2 PERIODIC'],
        tags: device.tags,
        organization: organizations.slugOf(device.organization),
        ip: device.ip,
        identity: { proven: false },
        lastInform: clock.nowMs,
        registered: device.registeredMs,
        now: clock.nowMs,
        model: modelOf(device),
      },
      ...(organization !== undefined && { organization }),
      readParameters: async () => ({}),
      unread: async () => [],
      counts: device.counts,
      requested: false,
    });
  };
  return {
    store,
    clock,
    rules,
    library,
    devices,
    operations,
    upgrades,
    calls,
    /** Another process's batches on the same store. */
    another: open,
    batches: open(),
    /** CPEs that are known, by numbers. */
    async haveCpes(count: number, said: Partial<Device> = {}): Promise<readonly CpeId[]> {
      const ids = Array.from({ length: count }, (_, index) => cpe(index));
      const known = store.collection<Device>(DEVICES);
      for (let start = 0; start < count; start += 1_000)
        await store.commit(ids.slice(start, start + 1_000).map((id) => known.putting(deviceWith(id, said))));
      return ids;
    },
    async haveCpe(id: CpeId, said: Partial<Device> = {}): Promise<CpeId> {
      await store.collection<Device>(DEVICES).put(deviceWith(id, said));
      return id;
    },
    /** Begins a session of a CPE as far as an upgrade may come of it. @returns the upgrade that it reserved; null: it gets nothing */
    async session(cpeid: CpeId): Promise<Upgrade | null> {
      for (let round = 0; round < 10; round++) {
        const { document, revision } = await read(cpeid);
        if (document.inFlight !== undefined) return null;
        const decision = await decide(document);
        if (decision.kind === 'upgrade') {
          const reserved = await upgrades.reserving(document, decision, LOCATION);
          if (reserved === null) return null;
          const { committed } = await devices.commit(reserved.device, revision, reserved.with);
          if (committed) return reserved.upgrade;
          continue;
        }
        if (decision.kind !== 'at-target' && decision.kind !== 'unfit') return null;
        const recorded =
          decision.kind === 'at-target'
            ? await upgrades.recordingAtTarget(document, decision)
            : await upgrades.recordingUnfit(document, decision);
        if (recorded === null) return null;
        await devices.commit(recorded.device, revision, recorded.with);
      }
      return null;
    },
    /** What a session would decide, and would not record. */
    decision: async (cpeid: CpeId) => decide((await read(cpeid)).document),
    /** The CPE reports how its transfer ended, and the version that it runs then. */
    async end(cpeid: CpeId, id: ResultId, how: 'verified' | 'failed'): Promise<void> {
      await upgrades.learn(cpeid, id, { kind: 'download-response', status: 1 });
      const fault = { faultCode: 9010, faultString: 'Download failure' };
      await upgrades.learn(cpeid, id, {
        kind: 'transfer-complete',
        fault: how === 'failed' ? fault : null,
        version: how === 'failed' ? '1.0.0' : TARGET,
      });
    },
    async stored(batch: BatchId): Promise<Batch | null> {
      return (await store.collection<Batch>(BATCHES).get(batch))?.document ?? null;
    },
    async gate(batch: BatchId): Promise<RuleGate['state'] | null> {
      return (await store.collection<RuleGate>(RULE_GATES).get(`batch:${batch}`))?.document.state ?? null;
    },
    async rulesOf(batch: BatchId): Promise<readonly StoredRule[]> {
      const found: StoredRule[] = [];
      for await (const rule of rules.scan({})) if (rule.owner?.id === batch) found.push(rule);
      return found;
    },
    rule: async (id: string) => (await rules.get(id as RuleId))?.rule ?? null,
    /** The state of each of its operations, with the reason where there is one, by cpeid. */
    async outcomes(batch: BatchId): Promise<Readonly<Record<string, string>>> {
      const found: [string, string][] = [];
      for await (const { document } of documents.scan({ index: 'batch', equals: [batch] }))
        found.push([
          document.cpeid,
          document.reason === undefined ? document.state : `${document.state} ${document.reason}`,
        ]);
      return Object.fromEntries(found.sort(([one], [other]) => (one < other ? -1 : 1)));
    },
    /** What its operations themselves come to; throws where its counts say otherwise. */
    async counted(batch: BatchId): Promise<Partial<Record<OperationState, number>>> {
      const byState: Partial<Record<OperationState, number>> = {};
      let total = 0;
      for await (const { document } of documents.scan({ index: 'batch', equals: [batch] })) {
        byState[document.state] = (byState[document.state] ?? 0) + 1;
        total++;
      }
      const counts = await operations.counts(batch);
      const kept = Object.fromEntries(Object.entries(counts.byState).filter(([, count]) => count !== 0));
      if (counts.total !== total || JSON.stringify(sorted(kept)) !== JSON.stringify(sorted(byState)))
        throw new Error(`There are ${JSON.stringify(byState)}, and counted are ${JSON.stringify(kept)}`);
      return byState;
    },
    /** What is left in any collection of a batch that is gone. */
    async leftOf(batch: BatchId): Promise<readonly string[]> {
      const left: string[] = [];
      for (const definition of [OPERATIONS, OPERATION_SHARES, RULE_GATES, BATCHES])
        for await (const { document } of store.collection(definition).scan({}))
          if (JSON.stringify(document).includes(batch)) left.push(`${definition.name} ${document.id}`);
      const owned = await this.rulesOf(batch);
      return [...left, ...owned.map(({ id }) => `rule ${id}`)];
    },
    async events(batch: BatchId): Promise<readonly EventDocument[]> {
      const found: EventDocument[] = [];
      const log = store.collection<EventDocument>(EVENTS);
      for await (const { document } of log.scan({ index: 'subject', equals: ['batch', batch] }))
        found.push(document);
      return found;
    },
    async upgradesOf(cpeid: CpeId): Promise<readonly Upgrade[]> {
      const found: Upgrade[] = [];
      const all = store.collection<Upgrade>(UPGRADES);
      for await (const { document } of all.scan({ index: 'cpe', equals: [cpeid] })) found.push(document);
      return found;
    },
  };
}

/**
 * The same store, in which something happens just before a collection is asked.
 * @param before  is told how often it was asked so by now, from 1
 */
export function storeWhere(
  store: Store,
  {
    collection,
    method,
    before,
  }: {
    readonly collection: string;
    readonly method: 'get' | 'getMany';
    readonly before: (count: number) => Promise<unknown>;
  },
): Store {
  let count = 0;
  return hooked(store, 'collection', (open, [definition, ...rest]) => {
    const opened = open(definition, ...rest) as object;
    if ((definition as { readonly name: string }).name !== collection) return opened;
    return hooked(opened, method, async (ask, args) => {
      await before(++count);
      return ask(...args);
    });
  });
}

type Method = (...args: readonly unknown[]) => unknown;

function hooked<T extends object>(
  of: T,
  name: string,
  instead: (method: Method, args: readonly unknown[]) => unknown,
): T {
  return new Proxy(of, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as Method;
      return key === name ? (...args: readonly unknown[]) => instead(method, args) : method;
    },
  });
}

export type TestBatches = Awaited<ReturnType<typeof openTestBatches>>;

function deviceWith(id: CpeId, said: Partial<Device>): Device {
  return { ...deviceOf(id, null), tags: [], serialNumber: id.split('-').at(-1) ?? id, ...said };
}

export function cpe(index: number): CpeId {
  return `00A1B2-HGW-${String(index).padStart(7, '0')}` as CpeId;
}

/** A batch of one image for a list of CPEs. */
export function listOf(cpeids: readonly string[], over: Partial<NewBatch> = {}): NewBatch {
  return { name: 'night', what: { image: IMAGE }, whom: { kind: 'list', cpeids }, ...over };
}

export function targetsOf(targets: readonly BatchTarget[]) {
  return async function* () {
    yield* targets;
  };
}

/** As one that belongs to an organization is kept. */
export function of(organization: string): Pick<Device, 'organization'> {
  return { organization: { id: organization as OrganizationId, by: 'hand' } };
}

function sorted(counts: Readonly<Record<string, number>>): readonly [string, number][] {
  return Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1));
}

async function haveDirectory(store: Store): Promise<void> {
  const organizations = store.collection<OrganizationDocument>(ORGANIZATIONS);
  for (const [order, id] of [HOME, NORTH, SOUTH].entries())
    await organizations.put({
      id: id as OrganizationId,
      name: id,
      slug: id.slice(0, 8),
      active: true,
      isDefault: id === HOME,
      order,
      rules: [],
      createdAtMs: 0,
    });
  await store.collection<StateDocument>(ORGANIZATION_STATE).put({
    id: STATE_ID,
    generation: 1,
    defaultId: HOME as OrganizationId,
    organizations: 3,
    rules: 0,
    rulesBytes: 0,
  });
}
