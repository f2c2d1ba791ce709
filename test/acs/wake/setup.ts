import type { ExecutionContext } from 'ava';
import { Registry } from 'prom-client';
import type { ConnectionRequestOutcome } from '../../../acs/connection-request/connection-requests.js';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { namesakesIn } from '../../../acs/device/namesakes.js';
import { createAcsMetrics } from '../../../acs/metrics/acs-metrics.js';
import { Caller } from '../../../acs/wake/caller.js';
import { Waker } from '../../../acs/wake/waker.js';
import { type CpeId, SECOND_MS } from '../../../common/index.js';
import type { Counted, NamesakesOf, RuleEngine, RulesOptions } from '../../../rules/index.js';
import { inputOf, openTestRules, ruleBody } from '../../rules/setup.js';

export type Answer = ConnectionRequestOutcome['code'] | 'never';

/** The test rules' clock stands at 02:30 UTC. */
export const WINDOW = { cron: '0 2 * * *', durationMinutes: 60, wakePerSecond: 3 };

export function wakeRule(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return ruleBody({ window: WINDOW, ...over });
}

export function cpe(number: number): CpeId {
  return `00A1B2-HGW-${String(number).padStart(4, '0')}` as CpeId;
}

/** Wakers on real rules and devices; only the connection requests end in a list. */
export async function openTestWaking(
  t: ExecutionContext,
  options: Pick<RulesOptions, 'boardParameter'> = {},
) {
  const namesakesOf: NamesakesOf = (asked) => namesakesIn(store)(asked);
  const at = await openTestRules(t, undefined, { ...options, namesakesOf });
  const { store, clock, logger } = at;
  const collection = store.collection<Device>(DEVICES);
  /** Who was called, in order. */
  const called: CpeId[] = [];
  /** What becomes of a call; 200 unless told. */
  const answers = new Map<CpeId, Answer>();
  /** By how much the wall's clock was set, all in all. */
  const set = { byMs: 0 };
  const metrics = createAcsMetrics(new Registry(), () => 0);

  const open = (rules: RuleEngine) => {
    const devices = new DeviceStore({ store, clock: () => clock.nowMs, logger });
    const caller = new Caller({
      metrics,
      logger,
      requests: {
        send: () => Promise.reject(new Error('nobody requested a session')),
        wake: (cpeid, signal) => {
          called.push(cpeid);
          const code = answers.get(cpeid) ?? 200;
          if (code !== 'never') return Promise.resolve({ cpeid, code, message: '' });
          return new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve({ cpeid, code: 504, message: 'broken off' }));
          });
        },
      },
    });
    const waker = new Waker({
      store,
      devices,
      rules,
      waking: rules.waking,
      caller,
      clock: () => clock.nowMs,
      monotonic: () => clock.nowMs - set.byMs,
      logger,
      onDone() {},
    });
    t.teardown(async () => {
      await waker.close();
      await devices.close();
    });
    return { waker, caller };
  };
  const first = open(at.rules);

  return {
    ...at,
    ...first,
    called,
    answers,
    /** Sets the wall's clock, which is not time that passes. */
    setClock(byMs: number): void {
      clock.nowMs += byMs;
      set.byMs += byMs;
    },
    anotherWaker: async () => open(await at.another()),
    async addDevices(count: number, over: Partial<Device> = {}): Promise<void> {
      for (let number = 0; number < count; number++) {
        await collection.put({ ...deviceOf(cpe(number), clock.nowMs), ...over });
      }
    },
    async changeDevice(cpeid: CpeId, over: Partial<Device>): Promise<void> {
      const stored = await collection.get(cpeid);
      if (stored === null) throw new Error(`no device ${cpeid}`);
      await collection.put({ ...stored.document, ...over });
    },
    /** A tick a second, each once the calls that are answered at all have been. */
    async ticks(count: number, waker: Waker = first.waker): Promise<void> {
      for (let tick = 0; tick < count; tick++) {
        await waker.tick();
        clock.nowMs += SECOND_MS;
      }
    },
    /** What the session of a CPE that came does. */
    async reserve(cpeid: CpeId): Promise<Counted> {
      const decision = await at.rules.decide(inputOf({ cpeid }));
      if (decision.kind !== 'upgrade') throw new Error(`not upgraded: ${JSON.stringify(decision)}`);
      const { countKey, share, conditions } = decision;
      if (!(await store.commit(conditions)).committed) throw new Error('not reserved');
      const stored = await collection.get(cpeid);
      if (stored !== null) {
        const counts = { [countKey]: { started: 1, failures: 0, verified: false, givenBack: 0 } };
        await collection.put({ ...stored.document, lastInformMs: clock.nowMs, counts });
      }
      return { countKey, share };
    },
    /** @returns who was called since it was asked last */
    callsSince(): CpeId[] {
      return called.splice(0);
    },
  };
}

function deviceOf(id: CpeId, nowMs: number): Device {
  return {
    id,
    manufacturer: 'Acme',
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: id.slice(-4),
    softwareVersion: '1.0.0',
    root: 'Device',
    namespace: 'urn:dslforum-org:cwmp-1-2',
    ip: '192.0.2.1',
    connectionRequestUrl: 'http://192.0.2.1:7547/',
    provisioning: 'done',
    registeredMs: nowMs - 1_000_000,
    lastInformMs: nowMs - 1_000_000,
    lastEvents: ['2 PERIODIC'],
    tags: [],
    counts: {},
    informDigest: '',
  };
}
