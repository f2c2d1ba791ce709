import { type KnownImage, runs } from './arrange.js';
import type { TableSlot } from './image-table.js';
import { isUnderWay, type KeptSlot, reservedSlots, type SlotRecord } from './slot-record.js';

type KeptImage = Extract<KeptSlot, { kind: 'image' }>;

/**
 * The same once a CPE tells of slots: what was put while it told of none stands in the slot that runs it, else stays under its key where that is empty or the CPE has none of it,
 * else goes to the first that is empty, else to one more. Nothing that was put is lost, and fetches lead to it.
 * @param images  those that are there, by number; what is not stays as it is
 * @returns the record itself where nothing was put so
 */
export function withTable(
  record: SlotRecord,
  table: readonly TableSlot[],
  images: ReadonlyMap<number, KnownImage>,
): SlotRecord {
  const told = new Map(table.map(({ key, version }) => [key, version]));
  const homeless: { readonly key: string; readonly kept: KeptImage; readonly known: KnownImage }[] = [];
  const slots = new Map<string, KeptSlot>();
  for (const [key, kept] of Object.entries(record.slots)) {
    const known =
      kept.kind === 'image' && kept.over === undefined ? images.get(kept.image.number) : undefined;
    if (kept.kind === 'image' && known !== undefined) homeless.push({ key, kept, known });
    else slots.set(key, kept);
  }
  if (homeless.length === 0) return record;
  const taken = reservedSlots(record.fetches);
  for (const [key, { kind }] of slots) if (kind === 'image') taken.add(key);
  const isFree = (key: string) => !taken.has(key);
  const isEmpty = (key: string) => isFree(key) && (told.get(key) ?? '') === '';
  const next = () =>
    String(1 + Math.max(...[...told.keys(), ...taken, ...Object.keys(record.slots)].map(Number)));
  const moved = new Map<string, string>();
  // What can stay does, before others look for an empty one.
  const order = ({ key }: { readonly key: string }) => Number(!isEmpty(key));
  homeless.sort((one, other) => order(one) - order(other) || Number(one.key) - Number(other.key));
  for (const { key, kept, known } of homeless) {
    const home =
      table.find((each) => isFree(each.key) && runs(each.version, known))?.key ??
      [key, ...told.keys()].find(isEmpty) ??
      next();
    taken.add(home);
    moved.set(key, home);
    slots.set(home, { ...kept, over: told.get(home) ?? '' });
  }
  return {
    ...record,
    slots: Object.fromEntries(slots),
    fetches: record.fetches.map((fetch) => {
      const home = isUnderWay(fetch) || fetch.slot === undefined ? undefined : moved.get(fetch.slot);
      return home === undefined ? fetch : { ...fetch, slot: home };
    }),
  };
}
