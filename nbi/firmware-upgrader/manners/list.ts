import type { Request } from 'express';
import type { Turn } from '../../../common/index.js';
import { lastOf } from './asking.js';
import { pageLink } from './links.js';
import { detail } from './upgrader-error.js';

/** By what a list is sorted. */
export interface Order {
  readonly key: string;
  readonly isDescending: boolean;
}

/** What can be sorted by; strings by their UTF-16 code units, which costs nothing. */
type SortValue = string | number;

/** What a list is read from. */
export interface ListSource<Item> {
  idOf(item: Item): string;
  /** What an item is sorted by, for each key of the list's ordering. */
  sortedBy(item: Item, key: string): SortValue;
  /** All that match, each once, in any order. Every page is read at the turn. */
  scan(turn: Turn): AsyncIterable<Item>;
  /** Those of some ids that are there, in any order. */
  read(ids: readonly string[]): Promise<readonly Item[]>;
  /** All that match, in this order, where the source has it so; null: it is sorted here. */
  inOrder?(order: readonly Order[], turn: Turn): AsyncIterable<Item> | null;
  /** Just how many match, where that is known without reading all of them. */
  count?(): Promise<number>;
}

/** How a list may be sorted. */
export interface Ordering {
  readonly keys: readonly string[];
  /** As the parameter has it: `-created,version`. */
  readonly byDefault: string;
}

/** A page of a list as it goes out, before its items are worded. */
export interface ListPage<Item> {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly items: readonly Item[];
}

const PAGE_ITEMS = 10;
const PAGE_ITEMS_MAX = 100;
/** Ids and what they are sorted by that are held at once; further pages are found by looking through the list again. */
const HELD_MAX = 10_000;

/**
 * The page of a list that a request asks for. Whatever its length, what is held of it is bounded.
 * @throws UpgraderError 404 for a page that there is not
 */
export async function listPage<Item>(
  request: Request,
  source: ListSource<Item>,
  ordering: Ordering,
  turn: Turn,
): Promise<ListPage<Item>> {
  const { originalUrl } = request;
  const size = pageSizeOf(lastOf(originalUrl, 'page_size'));
  const order = orderOf(lastOf(originalUrl, 'ordering'), ordering);
  const asked = pageOf(lastOf(originalUrl, 'page'));
  const isFar = asked === 'last' || asked * size > HELD_MAX;
  const counted =
    source.count !== undefined ? await source.count() : isFar ? await countOf(source, turn) : null;
  const page = asked === 'last' ? Math.max(1, Math.ceil((counted ?? 0) / size)) : asked;
  const offset = (page - 1) * size;
  if (counted !== null && page > 1 && offset >= counted) throw invalidPage();
  const { count, items } = await selected(source, order, { offset, size, counted }, turn);
  if (page > 1 && offset >= count) throw invalidPage();
  return {
    count,
    next: offset + size < count ? pageLink(request, page + 1) : null,
    previous: page > 1 ? pageLink(request, page - 1) : null,
    items,
  };
}

/** What is no size is the default. */
function pageSizeOf(text: string): number {
  const size = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return size < 1 ? PAGE_ITEMS : Math.min(size, PAGE_ITEMS_MAX);
}

function pageOf(text: string): number | 'last' {
  if (text === '') return 1;
  if (text === 'last') return text;
  const page = /^\d{1,12}$/.test(text) ? Number(text) : 0;
  if (page < 1) throw invalidPage();
  return page;
}

function invalidPage(): Error {
  return detail(404, 'Invalid page.');
}

/** Names that the list cannot be sorted by are passed over. */
function orderOf(text: string, { keys, byDefault }: Ordering): readonly Order[] {
  const said = ordersIn(text).filter(({ key }) => keys.includes(key));
  return said.length > 0 ? said : ordersIn(byDefault);
}

/** Whether that is by the time when they were made alone, the last first. */
export function isNewestFirst([first, ...others]: readonly Order[]): boolean {
  return first?.key === 'created' && first.isDescending && others.length === 0;
}

/** A key that is said again decides nothing any more. */
function ordersIn(text: string): readonly Order[] {
  const orders = new Map<string, Order>();
  for (const each of text.split(',').map((part) => part.trim())) {
    const key = each.replace(/^-/, '');
    if (!orders.has(key)) orders.set(key, { key, isDescending: each.startsWith('-') });
  }
  return [...orders.values()];
}

async function countOf<Item>(source: ListSource<Item>, turn: Turn): Promise<number> {
  let count = 0;
  for await (const _ of source.scan(turn)) count++;
  return count;
}

interface Window {
  readonly offset: number;
  readonly size: number;
  readonly counted: number | null;
}

interface Selected<Item> {
  readonly count: number;
  readonly items: readonly Item[];
}

async function selected<Item>(
  source: ListSource<Item>,
  order: readonly Order[],
  window: Window,
  turn: Turn,
): Promise<Selected<Item>> {
  const ordered = source.inOrder?.(order, turn) ?? null;
  if (ordered !== null) return cutOf(ordered, window);
  const places = await placesOf(source, order, window, turn);
  const ids = places.window.map(({ id }) => id);
  const found = new Map((await source.read(ids)).map((item) => [source.idOf(item), item]));
  return { count: places.count, items: ids.flatMap((id) => found.get(id) ?? []) };
}

/** Of a list that comes in order no more is read than is needed. */
async function cutOf<Item>(
  ordered: AsyncIterable<Item>,
  { offset, size, counted }: Window,
): Promise<Selected<Item>> {
  const items: Item[] = [];
  let count = 0;
  for await (const item of ordered) {
    if (count >= offset && items.length < size) items.push(item);
    count++;
    if (counted !== null && items.length === size) break;
  }
  return { count: counted ?? count, items };
}

/** Where an item stands. */
interface Place {
  readonly id: string;
  readonly values: readonly SortValue[];
}

interface Places {
  readonly count: number;
  readonly window: readonly Place[];
}

/** Those of the window, come to from the end of the list that is nearer, where it is known how far the last is. */
async function placesOf<Item>(
  source: ListSource<Item>,
  order: readonly Order[],
  window: Window,
  turn: Turn,
): Promise<Places> {
  const { offset, size, counted } = window;
  const behind = Math.max(0, (counted ?? 0) - offset - size);
  if (counted === null || behind >= offset)
    return sortedPlaces(source, order, window, turn, comparing(order));
  const mirrored = { offset: behind, size: Math.max(0, Math.min(size, counted - offset)) };
  const places = await sortedPlaces(source, order, mirrored, turn, comparing(order, -1));
  return { ...places, window: places.window.toReversed() };
}

/** Looks through the list as often as it takes to come to the window with no more than {@link HELD_MAX} places held. */
async function sortedPlaces<Item>(
  source: ListSource<Item>,
  order: readonly Order[],
  { offset, size }: Pick<Window, 'offset' | 'size'>,
  turn: Turn,
  compare: (one: Place, other: Place) => number,
): Promise<Places> {
  let passed = 0;
  let last: Place | null = null;
  for (;;) {
    const first = new FirstOf(Math.min(HELD_MAX, offset + size - passed), compare);
    let count = 0;
    for await (const item of source.scan(turn)) {
      count++;
      const values = order.map(({ key }) => source.sortedBy(item, key));
      const place = { id: source.idOf(item), values };
      if (last === null || compare(place, last) > 0) first.offer(place);
    }
    const places = first.sorted();
    const isEnough = passed + places.length >= offset + size || places.length < HELD_MAX;
    if (isEnough) return { count, window: places.slice(Math.max(0, offset - passed)) };
    passed += places.length;
    last = places.at(-1) ?? last;
  }
}

/** @param towards  -1: the other way round, ties and all */
function comparing(order: readonly Order[], towards: 1 | -1 = 1): (one: Place, other: Place) => number {
  const signs = order.map(({ isDescending }) => (isDescending ? -towards : towards));
  return (one, other) => {
    for (const [at, sign] of signs.entries()) {
      const difference = sign * compareValues(one.values[at] ?? '', other.values[at] ?? '');
      if (difference !== 0) return difference;
    }
    return towards * compareTexts(one.id, other.id);
  };
}

function compareValues(one: SortValue, other: SortValue): number {
  return typeof one === 'number' && typeof other === 'number'
    ? one - other
    : compareTexts(String(one), String(other));
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The first so many of what it is offered. */
class FirstOf {
  readonly #kept: Place[] = [];

  constructor(
    private readonly most: number,
    private readonly compare: (one: Place, other: Place) => number,
  ) {}

  offer(place: Place): void {
    this.#kept.push(place);
    // Sorted now and then and not for each: so that costs what sorting all of them would.
    if (this.#kept.length >= 2 * this.most + PAGE_ITEMS_MAX) this.#cut();
  }

  sorted(): readonly Place[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort(this.compare);
    this.#kept.length = Math.min(this.#kept.length, this.most);
  }
}
