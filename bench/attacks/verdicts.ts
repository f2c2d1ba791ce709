import type { AttackFigures, PlacesFigures } from './measure.js';

/** What is promised of a server that is attacked. */
export const PROMISES = {
  /** Of the sessions that the known CPEs have without the attack. */
  sessionsShareMin: 0.7,
  brakeMsMax: 1_000,
  memoryFactorMax: 1.5,
  /** What a server opens by itself now and then: a pipe to a process, a reader of the store. */
  descriptorsMoreMax: 10,
  /** Of a build without a gauge of places; where there is one every place is given back. */
  placesFewerMax: 5,
} as const;

export type Promised = 'CPEs' | 'brake' | 'memory' | 'files' | 'places' | 'log-in';

export function perSecond({
  sessions,
  seconds,
}: {
  readonly sessions: number;
  readonly seconds: number;
}): number {
  return sessions / seconds;
}

export function sessionsShare({ cpes }: AttackFigures): number {
  return perSecond(cpes.during) / perSecond(cpes.before);
}

export function memoryFactor({ memoryBytes }: AttackFigures): number {
  return memoryBytes.peak / memoryBytes.before;
}

function areTaken(places: PlacesFigures): boolean {
  switch (places.by) {
    case 'in-use':
      return !(places.more <= 0);
    case 'let-in':
      return places.after < places.before - PROMISES.placesFewerMax;
    default:
      return places satisfies never;
  }
}

/** Which promises were not kept; none where all were. */
export function broken(figures: AttackFigures): readonly Promised[] {
  const { brake, descriptors, places, newcomers, hasEnded } = figures;
  const isBroken: Readonly<Record<Promised, boolean>> = {
    CPEs: !(sessionsShare(figures) >= PROMISES.sessionsShareMin),
    brake: brake.calls === 0 || brake.failed > 0 || brake.worstMs > PROMISES.brakeMsMax,
    // Elsewhere than on Linux neither is known.
    memory: memoryFactor(figures) >= PROMISES.memoryFactorMax,
    files: hasEnded || descriptors.after > descriptors.before + PROMISES.descriptorsMoreMax,
    places: hasEnded || (places !== null && areTaken(places)),
    'log-in': newcomers !== null && newcomers.letIn < newcomers.of,
  };
  return (Object.keys(isBroken) as Promised[]).filter((promised) => isBroken[promised]);
}
