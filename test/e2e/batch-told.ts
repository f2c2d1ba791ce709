import type { BatchId } from '../../common/index.js';
import type { Fleet, SimulatedCpe, SimulatorEvents } from '../../cpe-sim/index.js';
import { type TestFerry, until } from '../support/ferry.js';

type Nbi = TestFerry['nbi'];

const PAGE_ITEMS = 1_000;
/** Of thousands of CPEs on a slow machine. */
const CAME_MS_MAX = 30 * 60_000;

/** What `GET /v1/batches/{id}` tells of how far a batch has come. */
export interface BatchTold {
  readonly state: string;
  readonly progress: Readonly<Record<string, number>>;
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
}

export async function progressOf(nbi: Nbi, batch: BatchId): Promise<BatchTold> {
  const { status, body } = await nbi('GET', `/v1/batches/${batch}`);
  if (status !== 200) throw new Error(`GET of a batch: ${status} ${JSON.stringify(body)}`);
  return (body as { details: BatchTold }).details;
}

export interface ToldOperation {
  /** Its state, and its reason where it has one. */
  readonly told: string;
  readonly attempts: number;
}

interface OperationAnswer {
  readonly cpeid: string;
  readonly state: string;
  readonly reason?: string;
  readonly attempts: number;
}

/** What is told of each CPE, by its id. */
export async function operationsOf(nbi: Nbi, batch: BatchId): Promise<ReadonlyMap<string, ToldOperation>> {
  const found = new Map<string, ToldOperation>();
  for (let after: string | null = ''; after !== null; ) {
    const place: string = after === '' ? '' : `&after=${after}`;
    const answer = await nbi('GET', `/v1/batches/${batch}/operations?limit=${PAGE_ITEMS}${place}`);
    if (answer.status !== 200) throw new Error(`GET of operations: ${answer.status}`);
    for (const { cpeid, state, reason, attempts } of (answer.body as { details: OperationAnswer[] }).details)
      found.set(cpeid, { told: reason === undefined ? state : `${state} ${reason}`, attempts });
    after = answer.headers.get('X-Next-After');
  }
  return found;
}

function tally(values: Iterable<string>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** States and reasons as they are told, those that there are. */
export function countsIn({ progress: { total: _, ...states }, reasons }: BatchTold) {
  const byState = Object.fromEntries(Object.entries(states).filter(([, count]) => count > 0));
  return { byState, byReason: Object.fromEntries(reasons.map(({ reason, count }) => [reason, count])) };
}

/** The same of what each CPE came to. */
export function countsOf(told: readonly string[]): ReturnType<typeof countsIn> {
  return {
    byState: tally(told.map((each) => each.split(' ')[0] ?? '')),
    byReason: tally(told.flatMap((each) => each.split(' ').slice(1))),
  };
}

/** Serial numbers of CPEs that are given another CommandKey from now on, in a session that they begin from now on. */
export function begunSince({ events }: Fleet): ReadonlySet<string> {
  const informed = new Set<string>();
  const begun = new Set<string>();
  events.on('inform', ({ identity }) => informed.add(identity.serialNumber));
  events.on('download', ({ identity, repeat }) => {
    if (repeat === 0 && informed.has(identity.serialNumber)) begun.add(identity.serialNumber);
  });
  return begun;
}

/** Boots some, so that each comes; resolves once each has ended a session well since its boot was told. */
export async function boot({ events }: Fleet, cpes: readonly SimulatedCpe[]): Promise<void> {
  const awaited = new Set(cpes.map(({ identity }) => identity.serialNumber));
  const booted = new Set<string>();
  const informed = ({ identity, events: codes }: SimulatorEvents['inform'][0]) => {
    if (codes.includes('1 BOOT')) booted.add(identity.serialNumber);
  };
  const sessionOver = ({ identity, outcome }: SimulatorEvents['session'][0]) => {
    if (outcome === 'ended' && booted.has(identity.serialNumber)) awaited.delete(identity.serialNumber);
  };
  events.on('inform', informed).on('session', sessionOver);
  for (const cpe of cpes) cpe.reboot();
  await until('each has come', () => awaited.size === 0, CAME_MS_MAX);
  events.off('inform', informed).off('session', sessionOver);
}
