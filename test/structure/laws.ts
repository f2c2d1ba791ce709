import type { Import, Sources } from './imports.js';
import { circlesOfFiles, planOf } from './plan.js';

/** What must hold of the arrows between the rooms of a house. */
export interface Laws {
  /** Each folder of the whole with those that it may import; every folder is named. */
  readonly mayImport: Readonly<Record<string, readonly string[]>>;
  /** Folders whose rooms stand in an order: an earlier one imports no later one. Files beside them stand on top. */
  readonly ordered: Readonly<Record<string, readonly string[]>>;
  /** Folders that look at what they like: past faces, and at all folders. */
  readonly lookAnywhere: readonly string[];
  /** Imports past a face that are meant. One that is there no more is a breach too. */
  readonly pastFaces: readonly Import[];
}

/** @returns a sentence for each breach, naming the files; empty where the house stands */
export function breaches(sources: Sources, laws: Laws): readonly string[] {
  return [
    ...upwards(sources, laws),
    ...outOfOrder(sources, laws),
    ...circlesIn(sources),
    ...pastFaces(sources, laws),
  ];
}

function upwards({ files, imports }: Sources, { mayImport }: Laws): string[] {
  const unknown = [...new Set(files.filter((file) => file.includes('/')).map(folderOf))]
    .filter((folder) => mayImport[folder] === undefined)
    .map((folder) => `${folder}/ has no place in the order of the folders`);
  const wrong = imports
    .filter(({ from, to }) => folderOf(from) !== folderOf(to))
    .filter(({ from, to }) => !(mayImport[folderOf(from)] ?? []).includes(folderOf(to)))
    .map(({ from, to }) => `${from} imports ${to}: ${folderOf(from)}/ does not stand on ${folderOf(to)}/`);
  return [...unknown, ...wrong];
}

function outOfOrder({ files, imports }: Sources, { ordered }: Laws): string[] {
  return Object.entries(ordered).flatMap(([place, order]) => {
    const roomOf = (path: string): string | null => {
      const rest = path.slice(place.length + 1).split('/');
      return path.startsWith(`${place}/`) && rest.length > 1 ? (rest[0] ?? null) : null;
    };
    const rooms = new Set(files.map(roomOf).filter((room) => room !== null));
    const rank = (path: string): number => {
      const room = roomOf(path);
      return room === null ? order.length : order.indexOf(room);
    };
    const strangers = [...rooms].filter((room) => !order.includes(room));
    const missing = order.filter((room) => !rooms.has(room));
    return [
      ...strangers.map((room) => `${place}/${room}/ has no place in the order of ${place}/`),
      ...missing.map((room) => `${place}/${room}/ stands in the order of ${place}/ and is not there`),
      ...imports
        .filter(({ from, to }) => from.startsWith(`${place}/`) && to.startsWith(`${place}/`))
        .filter(({ from, to }) => rank(to) > rank(from))
        .map(({ from, to }) => `${from} imports ${to}, which stands above it`),
    ];
  });
}

/** Circles of files, and of the rooms of each folder: two folders can need one another though no two files do. */
export function circlesIn(sources: Sources): readonly string[] {
  const places = new Set(sources.files.flatMap(placesAround));
  return [
    ...circlesOfFiles(sources).map((circle) => `a circle of imports: ${circle.join(', ')}`),
    ...[...places].flatMap((place) =>
      planOf(sources, place)
        .circles.filter((circle) => !circle.every((room) => room.endsWith('.ts')))
        .map((circle) => `a circle of rooms in ${nameOf(place)}: ${circle.join(', ')}`),
    ),
  ];
}

/** Whoever stands outside a folder that has an index.ts imports nothing else of it. */
function pastFaces({ files, imports }: Sources, { lookAnywhere, pastFaces: meant }: Laws): string[] {
  const known = new Set(files);
  const found = imports.filter(
    ({ from, to }) => !lookAnywhere.includes(folderOf(from)) && faceBetween(from, to, known) !== null,
  );
  const isSame = (one: Import) => (other: Import) => one.from === other.from && one.to === other.to;
  return [
    ...found
      .filter((each) => !meant.some(isSame(each)))
      .map(({ from, to }) => `${from} imports ${to} past ${faceBetween(from, to, known)}`),
    ...meant
      .filter((each) => !found.some(isSame(each)))
      .map(({ from, to }) => `${from} imports ${to} no more: take it off the list of those that may`),
  ];
}

/** The outermost face that an import should have taken; null where it did, or there is none. */
function faceBetween(from: string, to: string, known: ReadonlySet<string>): string | null {
  for (const place of placesAround(to)) {
    if (place === '' || from.startsWith(`${place}/`)) continue;
    const face = `${place}/index.ts`;
    if (known.has(face)) return to === face ? null : face;
  }
  return null;
}

/** A place as a person reads it. */
export function nameOf(place: string): string {
  return place === '' ? 'the whole' : `${place}/`;
}

function folderOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

/** The folders that a file lies in, the whole first. */
function placesAround(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.map((_, depth) => parts.slice(0, depth).join('/'));
}
