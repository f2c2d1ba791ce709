/** A package as package-lock.json has it, as far as the ledger asks. */
export interface LockedPackage {
  /** The package's own name where it is installed under another. */
  readonly name?: string;
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  /** Nothing but a development dependency needs it. */
  readonly dev?: boolean;
  /** Ferry runs without it, as on another platform. */
  readonly optional?: boolean;
  /** Development needs it, and production does without. */
  readonly devOptional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Ranges;
  readonly optionalDependencies?: Ranges;
  readonly peerDependencies?: Ranges;
}

/** Names, with the range of versions that is asked for. */
export type Ranges = Readonly<Record<string, string>>;

export interface Lock {
  /** By their place, such as `node_modules/a/node_modules/b`; the project itself is at the empty place. */
  readonly packages: Readonly<Record<string, LockedPackage & { readonly devDependencies?: Ranges }>>;
}

/** One package asks for another. */
export interface Demand {
  /** Name of who asks; empty for the project itself. */
  readonly by: string;
  readonly range: string;
}

/** Reads a package-lock.json of npm 7 or later, which npm itself has checked against package.json at `npm ci`. */
export function parseLock(text: string): Lock {
  return JSON.parse(text) as Lock;
}

export function nameAt(lock: Lock, place: string): string {
  return (
    lock.packages[place]?.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
  );
}

/** Where `require(name)` at a place ends: there, or at the nearest place above; null where it is not installed. */
export function placeOf(lock: Lock, from: string, name: string): string | null {
  for (let at = from; ; at = at.slice(0, at.lastIndexOf('node_modules/')).replace(/\/$/, '')) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock.packages[place] !== undefined) return place;
    if (at === '') return null;
  }
}

/** The places of everything that an installation without development dependencies may have, on any platform. */
export function productionPlaces(lock: Lock): readonly string[] {
  return Object.entries(lock.packages)
    .filter(([place, { dev }]) => place !== '' && dev !== true)
    .map(([place]) => place);
}

/** Who of the production tree asks for each place. */
export function demandsOf(lock: Lock): ReadonlyMap<string, readonly Demand[]> {
  const demands = new Map<string, Demand[]>();
  for (const from of ['', ...productionPlaces(lock)]) {
    const { dependencies, optionalDependencies, peerDependencies } = lock.packages[from] ?? {};
    const ranges = { ...peerDependencies, ...dependencies, ...optionalDependencies };
    for (const [name, range] of Object.entries(ranges)) {
      const place = placeOf(lock, from, name);
      if (place === null) continue;
      demands.set(place, [
        ...(demands.get(place) ?? []),
        { by: from === '' ? '' : nameAt(lock, from), range },
      ]);
    }
  }
  return demands;
}
