import { cpus as coresOf } from 'node:os';
import process from 'node:process';
import { countOf, tableText } from '../../cli/io.js';
import type { AttackFigures, PlacesFigures } from './measure.js';
import { broken, memoryFactor, PROMISES, type Promised, perSecond, sessionsShare } from './verdicts.js';

/** All attacks on one build. */
export interface BuildUnderAttack {
  /** As it was named, or its commit. */
  readonly build: string;
  readonly attacks: readonly AttackFigures[];
}

export interface AttackLoad {
  readonly cpes: number;
  readonly pauseMs: number;
  readonly seconds: number;
  readonly rules: number;
  readonly cpus: { readonly server: string; readonly attacker: string; readonly cpes: string };
}

/** Of a terminal as it comes. */
const COLUMNS = 80;

/** A table for each build. */
export function reportText(builds: readonly BuildUnderAttack[], load: AttackLoad): string {
  const { cpes, pauseMs, seconds, rules, cpus } = load;
  const on = (name: string) => name || 'any';
  return [
    `${countOf(cpes, 'known CPE')}, ${pauseMs} ms between two sessions; ${countOf(rules, 'rule')}; ${seconds} s each`,
    `node ${process.versions.node}, ${countOf(coresOf().length, 'core')}: server on ${on(cpus.server)}, attacker on ${on(cpus.attacker)}, CPEs on ${on(cpus.cpes)}`,
    ...builds.flatMap((build) => ['', build.build, tableOf(build), ...outcomesOf(build)]),
    '',
    `CPEs     sessions a second ÷ without the attack; at least ${PROMISES.sessionsShareMin}`,
    `brake    slowest FreezeUpgrades by an admin; at most ${PROMISES.brakeMsMax} ms, none refused`,
    `memory   most of the server's own ÷ without; below ${PROMISES.memoryFactorMax}`,
    `files    descriptors five seconds after it, more than before; at most ${PROMISES.descriptorsMoreMax}`,
    `places   taken then by all kinds of northbound work, more than before; none.`,
    `         Without a gauge of them: requests of one user let in at a time, less`,
    `         than before; at most ${PROMISES.placesFewerMax}`,
  ].join('\n');
}

function tableOf({ attacks }: BuildUnderAttack): string {
  return tableText(
    ['Attack', 'CPEs', 'brake', 'memory', 'files', 'places', 'not kept'],
    attacks.map((figures) => {
      const { finding, name, brake, descriptors, places } = figures;
      return [
        finding === null ? name : `${finding} ${name}`,
        sessionsShare(figures).toFixed(2),
        brake.failed > 0 ? `${brake.failed}/${brake.calls} no` : `${Math.round(brake.worstMs)} ms`,
        `${memoryFactor(figures).toFixed(1)} ×`,
        change(descriptors),
        placesText(places),
        verdictOf(figures),
      ];
    }),
    COLUMNS,
  );
}

function placesText(places: PlacesFigures | null): string {
  if (places === null) return '';
  switch (places.by) {
    case 'in-use':
      return Number.isNaN(places.more) ? 'untold' : change({ before: 0, after: places.more });
    case 'let-in':
      return change(places);
    default:
      return places satisfies never;
  }
}

function change({ before, after }: { readonly before: number; readonly after: number }): string {
  return after > before ? `+${after - before}` : String(after - before);
}

function verdictOf(figures: AttackFigures): string {
  // A line each, so that the name of the attack has room.
  return figures.hasEnded ? 'server\nended' : broken(figures).join('\n') || 'all kept';
}

function outcomesOf({ attacks }: BuildUnderAttack): readonly string[] {
  const newcomers = attacks.flatMap(({ name, newcomers: tried }) =>
    tried === null
      ? []
      : [`${name}: of ${tried.of} users who logged in for the first time ${tried.letIn} were let in`],
  );
  const kept = attacks.filter((figures) => broken(figures).length === 0).length;
  return [...newcomers, `All promises were kept under ${kept} of ${countOf(attacks.length, 'attack')}.`];
}

/** Everything that was measured, with what was not kept and the figures that say so. */
export function reportJson(builds: readonly BuildUnderAttack[], load: AttackLoad): string {
  const judged = builds.map(({ build, attacks }) => ({
    build,
    attacks: attacks.map((figures) => ({
      ...figures,
      perSecondBefore: perSecond(figures.cpes.before),
      perSecondDuring: perSecond(figures.cpes.during),
      sessionsShare: sessionsShare(figures),
      memoryFactor: memoryFactor(figures),
      notKept: broken(figures) satisfies readonly Promised[],
    })),
  }));
  return JSON.stringify(
    { ...load, node: process.versions.node, promises: PROMISES, builds: judged },
    null,
    2,
  );
}
