import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CpeId } from '../../common/index.js';
import { isSecretParameter, keptOfSecret, type ParameterTree, type Subtrees } from '../../rules/index.js';
import {
  type Change,
  type Collection,
  isDamaged,
  type Revision,
  type Store,
  type Stored,
} from '../../store/index.js';
import type { Parameter } from '../soap/index.js';
import { type Device, PARAMETERS, type ParameterDocument } from './device.js';
import {
  bytesOf,
  bytesOfAll,
  cutWith,
  excessOf,
  Left,
  needsOf,
  PARAMETERS_BYTES_MAX,
  type SubtreeSize,
  trimmedBy,
  type Value,
  type Values,
} from './parameter-bound.js';
import { bySubtree, isLong, SUBTREE_NAMES_MAX, SUBTREES_MAX } from './parameter-report.js';

/** A data model of so many bytes, or a report of so many parameters, is large: ten times what a home gateway has. */
const LARGE_BYTES = 256 * 1024;
const LARGE_REPORT = 1_000;
/** After so many subtrees of a large one, a few milliseconds, everything else in the process has its turn: the store may answer at once. */
const SUBTREES_AT_ONCE = 2;
/** Of those that are only measured: all that a usual CPE has. */
const MEASURED_AT_ONCE = 8;

/** How a report is taken. */
export interface Taking {
  /** After a factory reset nothing that was known can be relied on: all is forgotten but what is reported now. */
  readonly afresh: boolean;
  readonly nowMs: number;
  /** The parameter paths that conditions name: asked where something cannot be kept. */
  readonly named: () => Promise<readonly string[]>;
}

/** The known data models: one small document per CPE and subtree, written on change, read when a rule or a user asks. */
export class ParameterStore {
  readonly #parameters: Collection<ParameterDocument>;
  readonly #bytesMax: number;

  /** @param bytesMax  of one CPE's names and values together */
  constructor(store: Store, bytesMax = PARAMETERS_BYTES_MAX) {
    this.#parameters = store.collection<ParameterDocument>(PARAMETERS);
    this.#bytesMax = bytesMax;
  }

  /**
   * The device after a report, and what brings up what is stored to it: none where nothing differs. To be committed together, as the
   * device says how much is stored, which then is never more than the bound.
   */
  async taking(
    device: Device,
    reported: readonly Parameter[],
    taking: Taking,
  ): Promise<{ readonly device: Device; readonly changes: readonly Change[] }> {
    const { afresh, nowMs } = taking;
    const left = new Left();
    const told = await bySubtree(reported, left);
    const isLarge = (device.parametersBytes ?? 0) > LARGE_BYTES || reported.length > LARGE_REPORT;
    const drafts = afresh ? draftsOf(told) : await this.#merged(device.id, told, { left, isLarge });
    let addedBytes = 0;
    // What the device says counts what was lost as well.
    let knownBytes = device.parametersBytes;
    for (const draft of drafts.values()) {
      addedBytes += draft.addedBytes;
      if (draft.revision === 'lost') knownBytes = undefined;
    }
    const sizes = afresh || knownBytes === undefined ? await this.#sizes(device.id) : null;
    let bytes = addedBytes + (afresh ? 0 : (knownBytes ?? sumOf(sizes ?? NONE)));
    const isOver = bytes > this.#bytesMax;
    const stored = sizes ?? (isOver ? await this.#sizes(device.id) : NONE);
    const gone = new Set<string>();
    if (isOver) {
      const kept = withDrafts(afresh ? NONE : stored, drafts, nowMs);
      bytes = await this.#cut(device, kept, { drafts, gone, left, named: await taking.named() });
    }
    for (const subtree of stored.keys()) if (afresh && !drafts.has(subtree)) gone.add(subtree);
    const changes = [...gone]
      .filter((subtree) => stored.has(subtree))
      .map((subtree) => this.#parameters.deleting(idOf(device.id, subtree)));
    for (const [subtree, draft] of drafts) {
      const document = { id: idOf(device.id, subtree), atMs: nowMs, values: draft.values };
      changes.push(this.#writing(document, draft, afresh));
    }
    return { device: withSize(device, { bytes, left, afresh }), changes };
  }

  #writing(document: ParameterDocument, { revision }: Draft, afresh: boolean): Change {
    if (afresh || revision === 'lost') return this.#parameters.putting(document);
    return revision === null
      ? this.#parameters.inserting(document)
      : this.#parameters.replacing(document, revision);
  }

  /** What differs from what is stored. */
  async #merged(
    cpeid: CpeId,
    told: ReadonlyMap<string, Values>,
    { left, isLarge }: { readonly left: Left; readonly isLarge: boolean },
  ): Promise<Map<string, Draft>> {
    const drafts = new Map<string, Draft>();
    let inserted = 0;
    let done = 0;
    for (const [subtree, values] of told) {
      if (isLarge && ++done % SUBTREES_AT_ONCE === 0) await nextTurn();
      const stored = await this.#read(cpeid, subtree);
      if (stored === 'lost') {
        drafts.set(subtree, { values, addedBytes: bytesOfAll(values), revision: 'lost' });
      } else if (stored === null) {
        const known = await this.#parameters.count({ prefix: idOf(cpeid, '') });
        if (known + inserted >= SUBTREES_MAX) {
          left.add(subtree, bytesOfAll(values));
          continue;
        }
        inserted++;
        drafts.set(subtree, { values, addedBytes: bytesOfAll(values), revision: null });
      } else {
        const merged = mergedValues(stored.document.values, values, (bytes) => left.add(subtree, bytes));
        if (merged !== null) drafts.set(subtree, { ...merged, revision: stored.revision });
      }
    }
    return drafts;
  }

  /**
   * Leaves out of the drafts, and of what is stored, what is too much.
   * @param kept  all that there would be
   * @returns how much there is then
   */
  async #cut(
    device: Device,
    kept: ReadonlyMap<string, SubtreeSize>,
    { drafts, gone, left, named }: Cutting,
  ): Promise<number> {
    const needs = needsOf(device, named);
    const { dropped, trimmed, overBytes } = excessOf([...kept.values()], needs.of, this.#bytesMax);
    let bytes = sumOf(kept);
    const drop = (subtree: string, sizeBytes: number) => {
      drafts.delete(subtree);
      gone.add(subtree);
      left.add(subtree, sizeBytes);
      bytes -= sizeBytes;
    };
    for (const { subtree, bytes: sizeBytes } of dropped) drop(subtree, sizeBytes);
    let over = overBytes;
    for (const { subtree, bytes: sizeBytes } of trimmed) {
      if (over <= 0) break;
      await nextTurn();
      const draft = drafts.get(subtree) ?? (await this.#unchanged(device.id, subtree));
      const { values, goneBytes } = trimmedBy(draft.values, over, needs.isNamed);
      over -= goneBytes;
      if (goneBytes === sizeBytes) {
        drop(subtree, sizeBytes);
        continue;
      }
      drafts.set(subtree, { ...draft, values });
      left.add(subtree, goneBytes);
      bytes -= goneBytes;
    }
    return bytes;
  }

  /** One that cannot be read is as good as none: the CPE tells the values again, and the store tells of the damage. */
  async #read(cpeid: CpeId, subtree: string): Promise<Stored<ParameterDocument> | null | 'lost'> {
    try {
      return await this.#parameters.get(idOf(cpeid, subtree));
    } catch (error) {
      if (isDamaged(error)) return 'lost';
      throw error;
    }
  }

  async #unchanged(cpeid: CpeId, subtree: string): Promise<Draft> {
    const stored = await this.#read(cpeid, subtree);
    return stored === null || stored === 'lost'
      ? { values: {}, addedBytes: 0, revision: stored }
      : { values: stored.document.values, addedBytes: 0, revision: stored.revision };
  }

  /** How much is stored, for which all of it is read, a few subtrees at a time. */
  async #sizes(cpeid: CpeId): Promise<ReadonlyMap<string, SubtreeSize>> {
    const sizes = new Map<string, SubtreeSize>();
    const query = { prefix: idOf(cpeid, ''), limit: MEASURED_AT_ONCE };
    let page = await this.#parameters.find(query);
    for (;;) {
      for (const { document } of page.items) {
        const subtree = document.id.slice(cpeid.length + 1);
        sizes.set(subtree, { subtree, bytes: bytesOfAll(document.values), atMs: document.atMs ?? 0 });
      }
      if (page.next === null) return sizes;
      await nextTurn();
      page = await this.#parameters.find({ ...query, after: page.next });
    }
  }

  /**
   * By full name.
   * @param subtrees  what is read at least; null: all. What an older version kept beyond the bound is left out
   */
  async flat(cpeid: CpeId, subtrees: Subtrees = null): Promise<Record<string, Value>> {
    const all: Record<string, Value> = {};
    let characters = 0;
    for await (const { values } of this.#documents(cpeid, subtrees)) {
      for (const name in values) {
        const value = values[name] ?? '';
        // As many bytes at least, so that what is within the bound is read whole.
        characters += name.length + (typeof value === 'string' ? value.length : 0);
        if (characters > this.#bytesMax) return all;
        // What an older version has stored is in the clear until it is purged.
        all[name] = isSecretParameter(name) ? keptOfSecret(value) : value;
      }
    }
    return all;
  }

  async *#documents(cpeid: CpeId, subtrees: Subtrees): AsyncGenerator<ParameterDocument> {
    if (subtrees === null || subtrees.length > SUBTREES_MAX) {
      for await (const { document } of this.#parameters.scan({ prefix: idOf(cpeid, '') })) yield document;
      return;
    }
    for (const subtree of subtrees) {
      const stored = await this.#read(cpeid, subtree);
      if (stored !== null && stored !== 'lost') yield stored.document;
    }
  }

  /** What deletes all that is known of the CPE's data model: to be committed with the end of its device, which every report moves. */
  async forgetting(cpeid: CpeId): Promise<readonly Change[]> {
    const changes: Change[] = [];
    for await (const { document } of this.#parameters.scan({ prefix: idOf(cpeid, '') })) {
      changes.push(this.#parameters.deleting(document.id));
    }
    return changes;
  }

  /** As a tree, the way conditions read it. */
  async tree(cpeid: CpeId, subtrees: Subtrees = null): Promise<ParameterTree> {
    return treeOf(await this.flat(cpeid, subtrees));
  }
}

/** What a report makes of one subtree. */
interface Draft {
  readonly values: Values;
  /** How much more it is than what is stored. */
  readonly addedBytes: number;
  /** What is stored now is at this revision; null: nothing is; lost: it cannot be read. */
  readonly revision: Revision | null | 'lost';
}

/** What {@link ParameterStore} cuts, and what tells it where. */
interface Cutting {
  readonly drafts: Map<string, Draft>;
  readonly gone: Set<string>;
  readonly left: Left;
  readonly named: readonly string[];
}

const NONE: ReadonlyMap<string, SubtreeSize> = new Map();

function sumOf(sizes: ReadonlyMap<string, SubtreeSize>): number {
  let bytes = 0;
  for (const size of sizes.values()) bytes += size.bytes;
  return bytes;
}

function idOf(cpeid: CpeId, subtree: string): string {
  return `${cpeid}/${subtree}`;
}

function draftsOf(told: ReadonlyMap<string, Values>): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const [subtree, values] of told)
    drafts.set(subtree, { values, addedBytes: bytesOfAll(values), revision: null });
  return drafts;
}

function withDrafts(
  stored: ReadonlyMap<string, SubtreeSize>,
  drafts: ReadonlyMap<string, Draft>,
  nowMs: number,
): ReadonlyMap<string, SubtreeSize> {
  const all = new Map(stored);
  for (const [subtree, { addedBytes }] of drafts) {
    const bytes = (stored.get(subtree)?.bytes ?? 0) + addedBytes;
    all.set(subtree, { subtree, bytes, atMs: nowMs });
  }
  return all;
}

/** The device, saying how much is kept of its data model and what is not; itself where that says nothing new. */
function withSize(
  device: Device,
  { bytes, left, afresh }: { readonly bytes: number; readonly left: Left; readonly afresh: boolean },
): Device {
  const { parametersCut, ...rest } = device;
  const before = afresh ? undefined : parametersCut;
  const cut = left.subtrees.size === 0 ? before : cutWith(before, left);
  if (device.parametersBytes === bytes && cut === parametersCut) return device;
  return { ...rest, parametersBytes: bytes, ...(cut !== undefined && { parametersCut: cut }) };
}

/** What is known after a report, at most so many names: those known already come first. Null where nothing differs. */
function mergedValues(
  known: Values,
  reported: Values,
  leave: (bytes: number) => void,
): { readonly values: Values; readonly addedBytes: number } | null {
  const merged: Record<string, Value> = { ...known };
  let names = Object.keys(known).length;
  let addedBytes = 0;
  let differs = false;
  for (const [name, value] of Object.entries(reported)) {
    const before = merged[name];
    if (before === value) continue;
    if (before === undefined && ++names > SUBTREE_NAMES_MAX) {
      leave(bytesOf(name, value));
      continue;
    }
    addedBytes += bytesOf(name, value) - (before === undefined ? 0 : bytesOf(name, before));
    merged[name] = value;
    differs = true;
  }
  return differs ? { values: merged, addedBytes } : null;
}

type MutableTree = { [step: string]: string | number | boolean | MutableTree };

/** `{ 'Device.A.B': 1 }` as `{ Device: { A: { B: 1 } } }`, on objects without a prototype; without values of which only the beginning is kept. */
export function treeOf(flat: Readonly<Record<string, string | number | boolean>>): ParameterTree {
  const root: MutableTree = Object.create(null);
  for (const [name, value] of Object.entries(flat)) {
    if (isLong(value)) continue;
    const steps = name.split('.');
    const leaf = steps.pop();
    if (leaf === undefined || leaf === '') continue;
    let node: MutableTree = root;
    for (const step of steps) {
      const next = node[step];
      // A name cannot be both an object and a leaf; the deeper one wins, as it says more.
      const child: MutableTree = typeof next === 'object' ? next : Object.create(null);
      node[step] = child;
      node = child;
    }
    if (typeof node[leaf] !== 'object') node[leaf] = value;
  }
  return root;
}
