import { CONTEXT_FIELDS } from '../../vocabulary/index.js';
import { compareVersions } from '../functions/index.js';
import { FUNCTION } from './constant.js';

/** What a comparison comes to. `missing`: JSONata's undefined; `fault`: it fails, and the condition with it. */
export type Outcome = true | false | 'missing' | 'fault';

/**
 * One thing that a subject may be, told as far as comparisons with constants can tell it apart from others.
 * `slot`: where it stands among the versions it is compared with; null where its own text says that.
 */
export interface World {
  readonly value: unknown;
  readonly slot: number | null;
}

/** Stands for an object of the data model, and for a list of the context: no constant equals either. */
const OBJECT = Symbol('object');
const LIST = Symbol('list');
const BUCKETS = 100;
/** Versions that one field is compared with; with more of them nothing is told. */
const VERSIONS_MAX = 16;
const MISSING: World = { value: undefined, slot: null };

/**
 * A field, a parameter or the bucket of a CPE, with the constants it is compared with: from these follow all the things it may be
 * that any of those comparisons could tell apart. (It may be listed as something that no CPE is: then less is told, never more.)
 */
export class Subject {
  readonly #kind: 'text' | 'number' | 'list' | 'bucket' | 'any';
  readonly #constants = new Set<unknown>();
  readonly #versions: string[] = [];
  #ordered = false;
  #asked = false;
  #worlds: readonly World[] | null = null;
  readonly mayBeMissing: boolean;

  /** @param path  of a field or a parameter; null for a bucket */
  constructor(path: readonly string[] | null) {
    const field = path?.length === 1 ? CONTEXT_FIELDS.get(path[0] ?? '') : undefined;
    this.#kind = path === null ? 'bucket' : field === undefined || field.type === 'tree' ? 'any' : field.type;
    this.mayBeMissing = field?.mayBeMissing ?? path !== null;
  }

  /** It is compared with these, by `=`, `!=` or `in`. */
  equated(values: readonly unknown[]): void {
    for (const value of values) this.#constants.add(value);
  }

  ordered(value: unknown): void {
    this.#constants.add(value);
    this.#ordered = true;
  }

  /** By $compareVersions. @returns false where it is compared with too many */
  versioned(version: string): boolean {
    const known = this.#versions.some((other) => compareVersions(other, version) === 0);
    if (!known && this.#versions.length >= VERSIONS_MAX) return false;
    if (!known) this.#versions.push(version);
    return true;
  }

  /** Whether it is there at all is asked for, so that its being missing counts. */
  asked(): void {
    this.#asked = true;
  }

  /** @param missing  also its being missing, where that can be */
  worlds(missing: boolean): readonly World[] {
    this.#versions.sort(compareVersions);
    this.#worlds ??= this.#make();
    return this.#asked || (missing && this.mayBeMissing) ? [...this.#worlds, MISSING] : this.#worlds;
  }

  /** How $compareVersions orders a thing that this may be and a version. */
  comparedTo({ value, slot }: World, version: string): number | 'missing' | 'fault' {
    if (value === undefined) return 'missing';
    if (typeof value !== 'string') return 'fault';
    if (slot === null) return compareVersions(value, version);
    const index = this.#versions.findIndex((other) => compareVersions(other, version) === 0);
    return Math.sign(slot - (2 * index + 1));
  }

  #make(): readonly World[] {
    const plain = (values: Iterable<unknown>): World[] => [...values].map((value) => ({ value, slot: null }));
    switch (this.#kind) {
      case 'bucket':
        return plain(Array.from({ length: BUCKETS }, (_, bucket) => bucket));
      case 'list':
        return plain([LIST]);
      case 'number':
        return plain(this.#numbers());
      case 'text':
        return this.#texts();
      case 'any':
        return [...this.#texts(), ...plain([...this.#numbers(), true, false, OBJECT])];
      default:
        return this.#kind satisfies never;
    }
  }

  #numbers(): ReadonlySet<number> {
    const numbers = [...this.#constants].filter((value) => typeof value === 'number').sort((a, b) => a - b);
    const between = numbers.map((value, index) => (value + (numbers[index + 1] ?? value + 2)) / 2);
    return new Set([(numbers[0] ?? 1) - 1, ...numbers, ...between]);
  }

  #texts(): readonly World[] {
    const constants = [...this.#constants].filter((value) => typeof value === 'string');
    const concrete = new Set(['', ...constants, ...this.#versions]);
    // The next text after each: whatever stands between two of them compares like that one.
    const others = new Set(
      (this.#ordered ? [...concrete] : [largestOf(concrete)]).map((text) => `${text}\0`),
    );
    // Below the first of them, at it, between it and the next …
    const { length } = this.#versions;
    const slots = length === 0 ? [null] : Array.from({ length: 2 * length + 1 }, (_, slot) => slot);
    return [
      ...[...concrete].map((value) => ({ value, slot: null })),
      ...[...others].flatMap((value) => slots.map((slot) => ({ value, slot }))),
    ];
  }
}

function largestOf(texts: Iterable<string>): string {
  let largest = '';
  for (const text of texts) if (text > largest) largest = text;
  return largest;
}

/** `left operator right` of JSONata, as far as it is certain. */
export function compared(operator: string, left: unknown, right: unknown): Outcome {
  switch (operator) {
    case '=':
      return left !== undefined && right !== undefined && left === right;
    case '!=':
      return left !== undefined && right !== undefined && left !== right;
    default:
      break;
  }
  const comparable = [left, right].every(
    (value) => value === undefined || typeof value === 'string' || typeof value === 'number',
  );
  if (!comparable) return 'fault';
  if (left === undefined || right === undefined) return 'missing';
  return ordersOf(operator, left, right);
}

function ordersOf(operator: string, left: unknown, right: unknown): Outcome {
  const sign = signOf(left, right);
  if (sign === null) return 'fault';
  if (operator === '<') return sign < 0;
  if (operator === '<=') return sign <= 0;
  if (operator === '>') return sign > 0;
  return sign >= 0;
}

function signOf(left: unknown, right: unknown): number | null {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : Number(left > right);
  return typeof left === 'number' && typeof right === 'number' ? Math.sign(left - right) : null;
}

/** A constant that can be compared with here: a text, a number, true, false, null, a pattern or a function. */
export function isPlain(value: unknown): boolean {
  return (
    value === null ||
    value === FUNCTION ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean'
  );
}

/** Whether a subject may be a list itself: then a list may equal it. */
export function isListField(path: readonly string[]): boolean {
  return path.length === 1 && CONTEXT_FIELDS.get(path[0] ?? '')?.type === 'list';
}
