import { runsTarget } from '../../common/index.js';
import type { Image } from '../../firmware/index.js';
import type { OperationImage } from '../operations/index.js';
import type { TableSlot } from './image-table.js';
import type { Slot, SlotContent, SlotFailure } from './slot.js';
import type { KeptSlot, SlotRecord } from './slot-record.js';
import { reservedSlots } from './slot-record.js';

/** Of a CPE that tells of none: what it runs, and room for what is put beside it. */
const MODELLED_SLOTS = 5;

/** An image of the library, with what is said of it. */
export interface KnownImage {
  readonly image: Image;
  /** What a CPE is to report once it runs it; empty where nobody knows. */
  readonly version: string;
  readonly notes: string;
}

/** What slots follow from. */
export interface Arrangement {
  /** What the CPE runs, as it reports it; empty: it does not. */
  readonly running: string;
  /** Null: it tells of none. */
  readonly table: readonly TableSlot[] | null;
  readonly record: Pick<SlotRecord, 'slots' | 'fetches'> | null;
  /** Those that are there, by number. */
  readonly images: ReadonlyMap<number, KnownImage>;
  /** What waits for the CPE or is under way, whoever has begun it. */
  readonly next: {
    readonly image: OperationImage | null;
    readonly file: string;
    readonly targetVersion: string | null;
  } | null;
  /** What ended last. */
  readonly ended: {
    readonly image: OperationImage | null;
    readonly isVerified: boolean;
    readonly failure: SlotFailure | null;
  } | null;
}

interface Place {
  readonly key: string;
  readonly content: SlotContent | null;
  readonly reserved: boolean;
}

/** The slots of a CPE, by key. */
export function arrange(arrangement: Arrangement): readonly Slot[] {
  const standing = placesOf(arrangement);
  const { current, places: running } = withRunning(arrangement, standing);
  const { after, places } = withNext(arrangement, running, current);
  const { ended } = arrangement;
  return places.map((place): Slot => {
    const { key, content } = place;
    const [isCurrent, afterReboot] = [key === current, key === after];
    const isEnded = ended?.image != null && ended.image.number === content?.image?.number;
    const failure = isEnded && !isCurrent && !afterReboot ? (ended?.failure ?? null) : null;
    return { ...place, current: isCurrent, afterReboot, failure };
  });
}

/** The first slot in which something can be put. */
export function emptySlot(slots: readonly Slot[]): Slot | null {
  return slots.find(isEmptySlot) ?? null;
}

/** Whether something can be put there. */
export function isEmptySlot({ content, reserved }: Pick<Slot, 'content' | 'reserved'>): boolean {
  return content === null && !reserved;
}

/** What was put, or taken out, over what the CPE tells; what was put, or is to be, where it has no slot has one of its own. */
function placesOf({ table, record, images, running }: Arrangement): readonly Place[] {
  const reserved = reservedSlots(record?.fetches ?? []);
  const told: { readonly key: string; readonly version: string | null }[] = [
    ...(table ??
      Array.from({ length: MODELLED_SLOTS }, (_, index) => ({ key: String(index + 1), version: null }))),
  ];
  const put = Object.entries(record?.slots ?? {}).flatMap(([key, kept]) =>
    kept.kind === 'image' && images.has(kept.image.number) ? [key] : [],
  );
  for (const key of new Set([...put, ...reserved]))
    if (told.every((each) => each.key !== key)) told.push({ key, version: null });
  told.sort((one, other) => Number(one.key) - Number(other.key));
  return told.map(({ key, version }) => {
    const kept = record?.slots[key];
    const content = kept === undefined ? toldContent(version) : keptContent(kept, version, images, running);
    return { key, content, reserved: content === null && reserved.has(key) };
  });
}

function toldContent(version: string | null): SlotContent | null {
  return version === null || version === ''
    ? null
    : { version, isVersionKnown: true, notes: '', image: null };
}

/** @param told  what the CPE says stands there: what was kept of it holds as long as that is as it was; null: it tells of no slots */
function keptContent(
  kept: KeptSlot,
  told: string | null,
  images: Arrangement['images'],
  running: string,
): SlotContent | null {
  switch (kept.kind) {
    case 'emptied':
      return told === null || told === kept.over ? null : toldContent(told);
    case 'version':
      return told === null ? toldContent(kept.version) : toldContent(told);
    case 'image': {
      const known = images.get(kept.image.number);
      if (known === undefined) {
        // It is gone from the library, but the CPE may run it.
        const isRun = told === null && kept.version !== '' && kept.version === running;
        return isRun ? toldContent(running) : toldContent(told);
      }
      const isAsItWas =
        told === null || told === kept.over || runs(told, known) || (told !== '' && told === kept.version);
      return isAsItWas ? contentOf(known, kept.version) : toldContent(told);
    }
    default:
      return kept satisfies never;
  }
}

/** @param reported  by a CPE that ran it; empty: none has */
function contentOf({ image, version, notes }: KnownImage, reported = ''): SlotContent {
  const said = version === '' ? reported : version;
  return { version: said === '' ? image.name : said, isVersionKnown: said !== '', notes, image };
}

/** Whether what a CPE reports is an image. */
export function runs(reported: string, { image, version }: Pick<KnownImage, 'image' | 'version'>): boolean {
  const isRead = image.fromFile?.includes('softwareVersion') === true && version === image.softwareVersion;
  return version !== '' && runsTarget(reported, { version, isRead });
}

interface Running {
  readonly current: string | null;
  readonly places: readonly Place[];
}

/** SoftwareVersion comes with each Inform, the table when it is read: what the CPE runs is the former's to say. */
function withRunning(arrangement: Arrangement, places: readonly Place[]): Running {
  const { running, table, images, ended } = arrangement;
  const active = table?.find(({ isActive }) => isActive)?.key ?? null;
  const isRun = ({ content }: Place) => {
    if (content === null || running === '') return false;
    const known = content.image?.number === undefined ? undefined : images.get(content.image.number);
    return content.version === running || (known !== undefined && runs(running, known));
  };
  const candidates = places.filter(isRun);
  const verified = ended?.isVerified === true ? ended.image?.number : undefined;
  const isVerified = ({ content }: Place) => verified !== undefined && content?.image?.number === verified;
  const found =
    candidates.find(({ key }) => key === active) ??
    candidates.find(isVerified) ??
    candidates[0] ??
    // Nobody has said what a CPE reports that runs it: then that it was verified must do.
    places.find((place) => isVerified(place) && images.get(verified ?? 0)?.version === '');
  if (found !== undefined) return { current: found.key, places };
  // What it runs came by other means than what stands anywhere: it is where the CPE says, else where there is room.
  const place =
    places.find(({ key }) => key === active) ??
    places.find(isEmptySlot) ??
    places.find(({ content }) => content?.image === null) ??
    places[0];
  if (place === undefined) return { current: null, places };
  const content: SlotContent = {
    version: running,
    isVersionKnown: running !== '',
    notes: '',
    image: null,
  };
  return { current: place.key, places: replaced(places, { ...place, content }) };
}

/** Where nothing waits the CPE may say what it boots next. What waits or is under way, where it stands in no slot, is where there is room. */
function withNext(
  { next, images, table }: Arrangement,
  places: readonly Place[],
  current: string | null,
): { readonly after: string | null; readonly places: readonly Place[] } {
  if (next === null) {
    const boot = table?.find(({ isNext }) => isNext)?.key;
    // What runs may be newer than what was read of the table.
    const isFilled = places.some(({ key, content }) => key === boot && key !== current && content !== null);
    return { after: isFilled && boot !== undefined ? boot : null, places };
  }
  const { image, file, targetVersion } = next;
  const version = targetVersion ?? '';
  const found = places.find(({ key, content }) =>
    image === null
      ? key !== current && version !== '' && content?.version === version
      : content?.image?.number === image.number,
  );
  if (found !== undefined) return { after: found.key, places };
  const place = places.find(isEmptySlot);
  if (place === undefined) return { after: null, places };
  const known = image === null ? undefined : images.get(image.number);
  const content =
    known === undefined
      ? {
          version: version === '' ? file : version,
          isVersionKnown: version !== '',
          notes: '',
          image: null,
        }
      : contentOf(known);
  return { after: place.key, places: replaced(places, { ...place, content }) };
}

function replaced(places: readonly Place[], place: Place): readonly Place[] {
  return places.map((each) => (each.key === place.key ? place : each));
}
