import { setImmediate as nextTurn } from 'node:timers/promises';
import { cutText } from '../../common/index.js';
import type { Parameter } from '../soap/index.js';
import { bytesOf, type Left, subtreeOf, type Value, type Values } from './parameter-bound.js';

/** TR-106 allows 256 characters. */
const PARAMETER_NAME_CHARACTERS_MAX = 256;
/** Of longer values (certificates, logs) the beginning is kept to be shown; conditions do not see them, as it is another value. */
export const PARAMETER_VALUE_CHARACTERS_MAX = 1_024;
/** Makes what was cut longer than what was not, also where half a character was left out. */
const CUT_MARK = ' …';
const PARAMETER_DEPTH_MAX = 32;
/** With a cpeid of the greatest length this stays below the store's bound on ids. */
const SUBTREE_CHARACTERS_MAX = 100;
/** Together these keep a document well below the store's bound: what comes beyond is not kept. */
export const SUBTREE_NAMES_MAX = 1_000;
export const SUBTREES_MAX = 64;
/** After so many of a report, a millisecond or two, everything else in the process has its turn. */
const NAMES_AT_ONCE = 1_000;

/** Whether only the beginning of the value is kept. */
export function isLong(value: string | number | boolean): boolean {
  return typeof value === 'string' && value.length > PARAMETER_VALUE_CHARACTERS_MAX;
}

/** What is worth keeping of a report, by `Root.Subtree`. */
export async function bySubtree(reported: readonly Parameter[], left: Left): Promise<Map<string, Values>> {
  const subtrees = new Map<string, { names: number; values: Record<string, Value> }>();
  let done = 0;
  for (const { name, value: whole } of reported) {
    if (++done % NAMES_AT_ONCE === 0) await nextTurn();
    if (!isParameterName(name)) continue;
    const subtree = subtreeOf(name);
    const value =
      typeof whole === 'string' && isLong(whole)
        ? `${cutText(whole, PARAMETER_VALUE_CHARACTERS_MAX)}${CUT_MARK}`
        : whole;
    let values = subtrees.get(subtree);
    if (values === undefined && subtrees.size < SUBTREES_MAX) {
      values = { names: 0, values: Object.create(null) as Record<string, Value> };
      subtrees.set(subtree, values);
    }
    if (values !== undefined && (name in values.values || ++values.names <= SUBTREE_NAMES_MAX))
      values.values[name] = value;
    else left.add(subtree, bytesOf(name, value));
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
