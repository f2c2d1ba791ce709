import { type CpeId, cutText } from '../../common/index.js';
import type { ParameterTree } from '../../rules/index.js';
import type { Change, Collection, Store } from '../../store/index.js';
import type { Parameter } from '../soap/index.js';
import { PARAMETERS, type ParameterDocument } from './device.js';

/** TR-106 allows 256 characters. */
const PARAMETER_NAME_CHARACTERS_MAX = 256;
/** Of longer values (certificates, logs) the beginning is kept to be shown; conditions do not see them, as it is another value. */
export const PARAMETER_VALUE_CHARACTERS_MAX = 1_024;
/** Makes what was cut longer than what was not, also where half a character was left out. */
const CUT_MARK = ' …';
const PARAMETER_DEPTH_MAX = 32;
/** With a cpeid of the greatest length this stays below the store's bound on ids. */
const SUBTREE_CHARACTERS_MAX = 100;
/** Together these keep a document well below the store's bound, and a CPE from filling the disk: what comes beyond is not kept. */
const SUBTREE_NAMES_MAX = 1_000;
const SUBTREES_MAX = 64;

/** The known data models: one small document per CPE and subtree, written on change, read when a rule or a user asks. */
export class ParameterStore {
  readonly #parameters: Collection<ParameterDocument>;

  constructor(store: Store) {
    this.#parameters = store.collection<ParameterDocument>(PARAMETERS);
  }

  /** The changes that bring what is stored up to what the CPE reported; none where nothing differs. */
  async merging(cpeid: CpeId, reported: readonly Parameter[]): Promise<Change[]> {
    const changes: Change[] = [];
    let inserted = 0;
    for (const [subtree, values] of bySubtree(reported)) {
      const id = `${cpeid}/${subtree}`;
      const stored = await this.#parameters.get(id);
      if (stored === null) {
        const known = await this.#parameters.count({ prefix: `${cpeid}/` });
        if (known + inserted >= SUBTREES_MAX) continue;
        inserted++;
        changes.push(this.#parameters.inserting({ id, values }));
      } else {
        const merged = mergedValues(stored.document.values, values);
        if (merged !== null)
          changes.push(this.#parameters.replacing({ id, values: merged }, stored.revision));
      }
    }
    return changes;
  }

  /** After a factory reset nothing that was known can be relied on: forgets all but what is reported now. */
  async replacingAll(cpeid: CpeId, reported: readonly Parameter[]): Promise<Change[]> {
    const fresh = bySubtree(reported);
    const changes: Change[] = [];
    for await (const { document } of this.#parameters.scan({ prefix: `${cpeid}/` })) {
      if (!fresh.has(document.id.slice(cpeid.length + 1)))
        changes.push(this.#parameters.deleting(document.id));
    }
    for (const [subtree, values] of fresh) {
      changes.push(this.#parameters.putting({ id: `${cpeid}/${subtree}`, values }));
    }
    return changes;
  }

  /** By full name. */
  async flat(cpeid: CpeId): Promise<Record<string, string | number | boolean>> {
    const all: Record<string, string | number | boolean> = {};
    for await (const { document } of this.#parameters.scan({ prefix: `${cpeid}/` })) {
      Object.assign(all, document.values);
    }
    return all;
  }

  /** As a tree, the way conditions read it. */
  async tree(cpeid: CpeId): Promise<ParameterTree> {
    return treeOf(await this.flat(cpeid));
  }
}

type Values = Readonly<Record<string, string | number | boolean>>;

/** What is known after a report, at most so many names: those known already come first. Null where nothing differs. */
function mergedValues(known: Values, reported: Values): Values | null {
  const merged: Record<string, string | number | boolean> = { ...known };
  let names = Object.keys(known).length;
  let differs = false;
  for (const [name, value] of Object.entries(reported)) {
    if (merged[name] === value) continue;
    if (!Object.hasOwn(merged, name) && ++names > SUBTREE_NAMES_MAX) continue;
    merged[name] = value;
    differs = true;
  }
  return differs ? merged : null;
}

function isLong(value: string | number | boolean): boolean {
  return typeof value === 'string' && value.length > PARAMETER_VALUE_CHARACTERS_MAX;
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

/** What is worth keeping of a report, by `Root.Subtree`. */
function bySubtree(reported: readonly Parameter[]): Map<string, Record<string, string | number | boolean>> {
  const subtrees = new Map<string, { names: number; values: Record<string, string | number | boolean> }>();
  for (const { name, value } of reported) {
    if (!isParameterName(name)) continue;
    const [root, second] = name.split('.', 2);
    const subtree = `${root}.${second}`;
    let values = subtrees.get(subtree);
    if (values === undefined) {
      if (subtrees.size >= SUBTREES_MAX) continue;
      values = { names: 0, values: Object.create(null) as Record<string, string | number | boolean> };
      subtrees.set(subtree, values);
    }
    if (name in values.values || ++values.names <= SUBTREE_NAMES_MAX) {
      values.values[name] =
        typeof value === 'string' && isLong(value)
          ? `${cutText(value, PARAMETER_VALUE_CHARACTERS_MAX)}${CUT_MARK}`
          : value;
    }
  }
  return new Map([...subtrees].map(([subtree, { values }]) => [subtree, values]));
}

/** Whether what has this name is kept: any name that a data model can have, within bounds. */
export function isParameterName(name: string): boolean {
  const steps = name.split('.');
  return (
    name.length <= PARAMETER_NAME_CHARACTERS_MAX &&
    // The data model's own alphabet (TR-106 3.1): what is not in it cannot be a name, and would not be safe as a key or an id.
    /^(Device|InternetGatewayDevice)\.[\w.{}-]*\w$/.test(name) &&
    steps.length <= PARAMETER_DEPTH_MAX &&
    steps.slice(0, 2).join('.').length <= SUBTREE_CHARACTERS_MAX
  );
}

/**
 * Digest of a report, to see cheaply in every session whether anything in it differs from the last: two 32-bit multiplicative hashes
 * (cyrb53). A CPE that forges a collision only keeps its own news from us.
 */
export function digestOf(reported: readonly Parameter[]): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const { name, value } of reported) {
    const text = `${name}\0${typeof value}\0${value}\0`;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      high = Math.imul(high ^ code, 2_654_435_761);
      low = Math.imul(low ^ code, 1_597_334_677);
    }
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return `${(high >>> 0).toString(36)}.${(low >>> 0).toString(36)}`;
}
