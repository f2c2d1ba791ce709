import type { Device, ParametersCut } from './device.js';

/** Of one CPE, names and values together: some 30,000 parameters, ten times what a home gateway has. */
export const PARAMETERS_BYTES_MAX = 2 * 1024 * 1024;
/** So many subtrees are named where something was not kept. */
const CUT_SUBTREES_MAX = 16;

export type Value = string | number | boolean;
export type Values = Readonly<Record<string, Value>>;

/** What a parameter counts for, in bytes of UTF-8. Of a name all characters are ASCII. */
export function bytesOf(name: string, value: Value): number {
  return name.length + (typeof value === 'string' ? Buffer.byteLength(value) : String(value).length);
}

export function bytesOfAll(values: Values): number {
  let bytes = 0;
  for (const name in values) bytes += bytesOf(name, values[name] ?? '');
  return bytes;
}

/** What of a report is not kept. */
export class Left {
  readonly subtrees = new Set<string>();
  bytes = 0;

  add(subtree: string, bytes: number): void {
    this.subtrees.add(subtree);
    this.bytes += bytes;
  }
}

/** How much a subtree is needed, least first: `spare` goes first. */
const NEEDS = ['spare', 'asked', 'own', 'named'] as const;

/** `spare`: by nobody; `asked`: a rule asked for it once; `own`: Ferry works with it; `named`: a condition of a rule names it. */
export type Need = (typeof NEEDS)[number];
/** From here on a subtree stays, trimmed at most. */
const STAYING = NEEDS.indexOf('own');

const OWN_SUBTREE = /^(?:Device|InternetGatewayDevice)\.(?:DeviceInfo|ManagementServer)$/;

/** What tells what is needed of a data model. */
export interface Needs {
  of(subtree: string): Need;
  /** Whether a condition names the parameter. */
  isNamed(name: string): boolean;
}

/** @param named  the parameter paths that conditions name; with a dot at its end a path means all below it */
export function needsOf(
  { askedPaths = [], failedPaths, unansweredPaths }: Device,
  named: readonly string[],
): Needs {
  const namedSubtrees = new Set(named.map(subtreeOf));
  const asked = [...askedPaths, ...(failedPaths?.paths ?? []), ...(unansweredPaths?.paths ?? [])];
  const askedSubtrees = new Set(asked.map(subtreeOf));
  const names = new Set(named);
  const partial = named.filter((path) => path.endsWith('.'));
  return {
    of(subtree) {
      if (namedSubtrees.has(subtree)) return 'named';
      if (OWN_SUBTREE.test(subtree)) return 'own';
      return askedSubtrees.has(subtree) ? 'asked' : 'spare';
    },
    isNamed: (name) => names.has(name) || partial.some((path) => name.startsWith(path)),
  };
}

/** The part of the data model that a parameter, or a partial path, belongs to: its first two steps. */
export function subtreeOf(name: string): string {
  const [root, second] = name.split('.', 2);
  return `${root}.${second}`;
}

/** What is known of one subtree without its values. */
export interface SubtreeSize {
  readonly subtree: string;
  readonly bytes: number;
  /** When anything in it changed last. */
  readonly atMs: number;
}

/** What must go for the rest to stay within the bound. */
export interface Excess {
  /** Go as a whole. */
  readonly dropped: readonly SubtreeSize[];
  /** So much is still too much then: these are trimmed, in this order. */
  readonly overBytes: number;
  readonly trimmed: readonly SubtreeSize[];
}

/** Whole subtrees go first, those that nobody needs before those that were asked for, and of these the oldest first. */
export function excessOf(
  subtrees: readonly SubtreeSize[],
  needOf: (subtree: string) => Need,
  bytesMax: number,
): Excess {
  const inOrder = subtrees
    .map((size) => ({ size, need: NEEDS.indexOf(needOf(size.subtree)) }))
    .sort((left, right) => left.need - right.need || left.size.atMs - right.size.atMs);
  let overBytes = subtrees.reduce((sum, { bytes }) => sum + bytes, 0) - bytesMax;
  const dropped: SubtreeSize[] = [];
  const trimmed: SubtreeSize[] = [];
  for (const { size, need } of inOrder) {
    if (overBytes <= 0) break;
    if (need >= STAYING) {
      trimmed.push(size);
      continue;
    }
    dropped.push(size);
    overBytes -= size.bytes;
  }
  return { dropped, overBytes: Math.max(0, overBytes), trimmed };
}

/**
 * The values without so many bytes at least, as far as they have them: what came last goes first, and what is named last of all.
 * @returns with how much is gone
 */
export function trimmedBy(
  values: Values,
  overBytes: number,
  isNamed: (name: string) => boolean,
): { readonly values: Values; readonly goneBytes: number } {
  const names = Object.keys(values).reverse();
  const gone = new Set<string>();
  let goneBytes = 0;
  for (const name of [...names.filter((name) => !isNamed(name)), ...names.filter(isNamed)]) {
    if (goneBytes >= overBytes) break;
    goneBytes += bytesOf(name, values[name] ?? '');
    gone.add(name);
  }
  const rest = Object.fromEntries(Object.entries(values).filter(([name]) => !gone.has(name)));
  return { values: rest, goneBytes };
}

/** What a device says after something was not kept; what it says already where that is the same. */
export function cutWith(before: ParametersCut | undefined, { subtrees, bytes }: Left): ParametersCut {
  const all = [...new Set([...(before?.subtrees ?? []), ...subtrees])].sort().slice(0, CUT_SUBTREES_MAX);
  const isSame = before?.bytes === bytes && all.join() === before.subtrees.join();
  return isSame ? before : { subtrees: all, bytes };
}
