import { setTimeout as pause } from 'node:timers/promises';
import type { TreeServer } from '../builds/tree-server.js';
import type { Attack, Target } from './attack.js';
import type { AttackerOrder, AttackerTold } from './attacker.js';
import type { CpesOrder, CpesTold } from './cpes.js';
import { Helper } from './helper.js';
import { freePlaces, Meter, placesMore } from './meter.js';
import { NEWCOMERS, type Stage, VIEWER } from './stage.js';

export interface MeasureOptions {
  readonly cpes: number;
  readonly pauseMs: number;
  /** Of each attack, and of the time before it. */
  readonly seconds: number;
  /** Processors of whoever attacks and of the CPEs, as `taskset` takes them. */
  readonly attackerCpus: string;
  readonly cpeCpus: string;
  readonly signal: AbortSignal;
}

/** What one attack did to one server. */
export interface AttackFigures {
  readonly name: string;
  readonly finding: number | null;
  readonly describe: string;
  readonly cpes: { readonly before: CpesTold; readonly during: CpesTold };
  readonly brake: BrakeFigures;
  readonly memoryBytes: { readonly before: number; readonly peak: number };
  readonly descriptors: { readonly before: number; readonly after: number };
  /** Null where they were not counted. */
  readonly places: PlacesFigures | null;
  /** Of users who had not logged in before and tried meanwhile. */
  readonly newcomers: { readonly letIn: number; readonly of: number } | null;
  /** Gauges that are higher than before the attack. */
  readonly gauges: readonly { readonly name: string; readonly before: number; readonly after: number }[];
  /** Of the server, while it was attacked. */
  readonly cpuSeconds: number;
  readonly attacker: AttackerTold;
  /** Whether the process ended by itself. */
  readonly hasEnded: boolean;
}

/**
 * What of the places is not given back:
 * - `in-use`: all kinds, as the server's own gauge has them. NaN where it could not be asked.
 * - `let-in`: requests of one user that are let in at a time, of a build without that gauge.
 */
export type PlacesFigures =
  | { readonly by: 'in-use'; readonly more: number }
  | { readonly by: 'let-in'; readonly before: number; readonly after: number };

/** Each call is an admin's that freezes upgrades, or lifts that. */
export interface BrakeFigures {
  readonly calls: number;
  readonly failed: number;
  readonly worstMs: number;
}

/** So long are CPEs served before anything is counted, so that the server reaches its optimised code. */
const WARM_MS_MAX = 4_000;
/** Until the connections of the CPEs are gone that are none of the attack's. */
const REST_MS = 1_000;
const AFTER_MS = 5_000;
const BRAKE_EVERY_MS = 500;
const SAMPLE_MS = 100;

/**
 * Attacks a server that is started for it. What is measured before and what is measured meanwhile is of the same process with the same
 * load, on the same processors.
 * @param placesBefore  see {@link countPlaces}
 */
export async function measureAttack(
  stage: Stage,
  attack: Attack,
  placesBefore: number | null,
  options: MeasureOptions,
): Promise<AttackFigures> {
  const { cpes, pauseMs, attackerCpus, cpeCpus } = options;
  const server = await stage.start(attack);
  const attacker = new Helper('attacker.js', attackerCpus, [attack.name]);
  const fleet = new Helper('cpes.js', cpeCpus, [String(server.port), String(cpes), String(pauseMs)]);
  try {
    return await underAttack(
      { server, attacker, fleet, attack, target: stage.targetOf(server), placesBefore },
      options,
    );
  } finally {
    await attacker.end();
    await fleet.end();
    await server.stop();
  }
}

interface Parts {
  readonly server: TreeServer;
  readonly attacker: Helper;
  readonly fleet: Helper;
  readonly attack: Attack;
  readonly target: Target;
  readonly placesBefore: number | null;
}

async function underAttack(parts: Parts, { seconds, signal }: MeasureOptions): Promise<AttackFigures> {
  const { server, attacker, fleet, attack, target, placesBefore } = parts;
  const { name, finding = null, describe } = attack;
  const phaseMs = seconds * 1_000;
  const meter = new Meter(server);
  const attackerDoes = (kind: AttackerOrder['kind']) => attacker.ask<AttackerTold>({ kind, target });
  const fleetDoes = (kind: CpesOrder['kind']) => fleet.ask<CpesTold>({ kind });
  const wait = (ms: number) => pause(ms, undefined, { signal });

  await attackerDoes('prepare');
  await fleetDoes('go');
  await meter.logIn(VIEWER);
  await meter.brake(false);
  await wait(Math.min(WARM_MS_MAX, 2 * phaseMs));
  const memoryBefore = new Peak(meter);
  await fleetDoes('tell');
  await wait(phaseMs);
  const before = await fleetDoes('rest');
  const memoryBytesBefore = await memoryBefore.end();
  await wait(REST_MS);
  const descriptorsBefore = await meter.descriptors();
  const gaugesBefore = await meter.gauges();

  const memoryDuring = new Peak(meter);
  const cpuBefore = await server.cpuMicroseconds();
  await attackerDoes('begin');
  await fleetDoes('go');
  const braking = keepBraking(meter, phaseMs, signal);
  await wait(phaseMs / 2);
  const newcomers = attack.logsIn ? countLetIn(meter) : null;
  await wait(phaseMs / 2);
  const during = await fleetDoes('rest');
  const cpuMicroseconds = (await server.cpuMicroseconds()) - cpuBefore;
  const attackerTold = await attackerDoes('tell');
  await attacker.end();
  await wait(AFTER_MS);
  const descriptorsAfter = await meter.descriptors();
  const gaugesAfter = await meter.gauges();
  const memoryBytesPeak = await memoryDuring.end();
  const [brake, letIn] = [await braking, await newcomers];
  const more = placesMore(gaugesBefore, gaugesAfter);
  const places: PlacesFigures | null =
    more !== null
      ? { by: 'in-use', more }
      : placesBefore === null || attack.server?.descriptors !== undefined
        ? null
        : {
            by: 'let-in',
            before: placesBefore,
            after: await freePlaces(meter, target.nbiPort, VIEWER),
          };
  return {
    name,
    finding,
    describe,
    cpes: { before, during },
    brake,
    memoryBytes: { before: memoryBytesBefore, peak: memoryBytesPeak },
    descriptors: { before: descriptorsBefore, after: descriptorsAfter },
    places,
    newcomers: letIn === null ? null : { letIn, of: NEWCOMERS.length },
    gauges: [...gaugesAfter].flatMap(([gauge, after]) => {
      const was = gaugesBefore.get(gauge) ?? 0;
      return after > was ? [{ name: gauge, before: was, after }] : [];
    }),
    cpuSeconds: cpuMicroseconds / 1e6,
    attacker: attackerTold,
    hasEnded: server.hasEnded,
  };
}

/**
 * Of a server that nobody has attacked; null where its own gauge tells. It is not asked of each: so many connections at once would be part
 * of what is measured.
 */
export async function countPlaces(stage: Stage): Promise<number | null> {
  const server = await stage.start({ name: '', describe: '', begin() {} });
  try {
    const meter = new Meter(server);
    await meter.logIn(VIEWER);
    const gauges = await meter.gauges();
    if (placesMore(gauges, gauges) !== null) return null;
    return await freePlaces(meter, server.northbound.port, VIEWER);
  } finally {
    await server.stop();
  }
}

/** Freezes upgrades and lifts that, for so long. */
async function keepBraking(meter: Meter, forMs: number, signal: AbortSignal): Promise<BrakeFigures> {
  const untilMs = performance.now() + forMs;
  let [calls, failed, worstMs] = [0, 0, 0];
  while (performance.now() < untilMs && !signal.aborted) {
    const { status, ms } = await meter.brake(calls % 2 === 0);
    calls++;
    if (status !== 200) failed++;
    worstMs = Math.max(worstMs, ms);
    await pause(BRAKE_EVERY_MS);
  }
  return { calls, failed, worstMs };
}

async function countLetIn(meter: Meter): Promise<number> {
  const called = await Promise.all(NEWCOMERS.map((newcomer) => meter.logIn(newcomer)));
  return called.filter(({ status }) => status === 200).length;
}

/** The most memory that is seen, from now until its end. */
class Peak {
  #bytes = 0;
  readonly #timer: NodeJS.Timeout;
  readonly #look: () => Promise<void>;

  constructor(meter: Meter) {
    this.#look = async () => {
      this.#bytes = Math.max(this.#bytes, await meter.memoryBytes());
    };
    this.#timer = setInterval(() => void this.#look(), SAMPLE_MS);
    // No reason for the process to stay where everything else was given up.
    this.#timer.unref();
  }

  async end(): Promise<number> {
    clearInterval(this.#timer);
    await this.#look();
    return this.#bytes;
  }
}
