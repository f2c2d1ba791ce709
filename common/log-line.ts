import { cutText, INVISIBLE } from './text.js';

/** A line goes whole through collectors that cut at 16 KiB, whatever its characters take in UTF-8. Without its end of line. */
export const LINE_CHARACTERS_MAX = 4_096;
/** Longest text in an event: a hostile device's manufacturer must not fill a terminal. */
export const FIELD_CHARACTERS_MAX = 300;
/** Of a defect one wants to see where it was; some twenty calls. */
export const STACK_CHARACTERS_MAX = 2_000;
/** More than any event of Ferry's has. */
const FIELDS_MAX = 40;
const NAME_CHARACTERS_MAX = 64;
/** Of what stands in lists and objects: what is told of a problem, not a document. */
const DEPTH_MAX = 4;
const VALUES_MAX = 60;
const CUT = '…';
/** In place of what throws when it is looked at. */
const UNREADABLE = 'unreadable';
/** Added where fields had to be cut or left out for the line's sake: how many. */
const FIELDS_CUT = 'fieldsCut';
const FIELDS_CUT_ROOM = `,"${FIELDS_CUT}":9999`.length;

type Plain =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [name: string]: Plain };

export type PlainFields = Readonly<Record<string, Plain>>;

/** What every line begins with. */
export interface LineHead {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
}

/** What is left of the bounds of one field. */
interface Room {
  values: number;
  characters: number;
}

/**
 * The fields of an event as they may be written: texts cut, lists and objects bounded in depth and number, an error as its message. Never
 * throws, whatever it is handed.
 */
export function plainFields(fields: Readonly<Record<string, unknown>>): PlainFields {
  const plain: [string, Plain][] = [];
  for (const name of firstKeys(fields, FIELDS_MAX)) {
    const characters = name === 'stack' ? STACK_CHARACTERS_MAX : FIELD_CHARACTERS_MAX;
    plain.push([plainName(name), plainOf(valueAt(fields, name), { values: VALUES_MAX, characters }, 0)]);
  }
  // Not by assignment, by which a name could be that of the prototype.
  return Object.fromEntries(plain);
}

function plainName(name: string): string {
  return cutPlainly(name, NAME_CHARACTERS_MAX);
}

function plainOf(value: unknown, room: Room, depth: number): Plain {
  if (typeof value === 'string') return cutWithin(value, room);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return cutWithin(String(value), room);
  // As in JSON: neither has a value.
  if (typeof value !== 'object') return undefined;
  if (value instanceof Error) {
    const message = valueAt(value, 'message');
    return typeof message === 'string' ? cutWithin(message, room) : UNREADABLE;
  }
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth === DEPTH_MAX) return CUT;
  const told = toldAsJson(value);
  if (told !== null) return plainOf(told.json, room, depth + 1);
  if (Array.isArray(value)) return plainList(value, room, depth);
  const members: [string, Plain][] = [];
  for (const name of firstKeys(value, room.values + 1).sort()) {
    if (room.values-- <= 0) {
      members.push([CUT, CUT]);
      break;
    }
    members.push([plainName(name), plainOf(valueAt(value, name), room, depth + 1)]);
  }
  return Object.fromEntries(members);
}

function plainList(list: readonly unknown[], room: Room, depth: number): Plain {
  const items: Plain[] = [];
  for (const item of list) {
    if (room.values-- <= 0) return [...items, CUT];
    items.push(plainOf(item, room, depth + 1));
  }
  return items;
}

function firstKeys(value: object, countMax: number): string[] {
  const names: string[] = [];
  try {
    for (const name in value) {
      if (names.length === countMax) break;
      if (Object.hasOwn(value, name)) names.push(name);
    }
  } catch {
    // A proxy that refuses: it has no names then.
  }
  return names;
}

function valueAt(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch {
    return UNREADABLE;
  }
}

/** What a value says that it is in JSON, as dates and URLs do; null where it says nothing. */
function toldAsJson(value: object): { readonly json: unknown } | null {
  const toJson = valueAt(value, 'toJSON');
  if (typeof toJson !== 'function') return null;
  try {
    return { json: Reflect.apply(toJson, value, []) };
  } catch {
    return { json: UNREADABLE };
  }
}

function cutWithin(text: string, room: Room): string {
  const cut = cutPlainly(text, room.characters);
  room.characters = Math.max(0, room.characters - cut.length);
  return cut;
}

/** Half of a surrogate pair is no text, and some readers of JSON refuse a whole line for one. */
function cutPlainly(text: string, charactersMax: number): string {
  const cut = text.length > charactersMax ? `${cutText(text, charactersMax)}${CUT}` : text;
  return PRINTABLE_ASCII.test(cut) ? cut : cut.replace(/\p{Cs}/gu, '\ufffd');
}

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** `time level event key=value …` for a person. */
export function textLine({ timestamp, level, message }: LineHead, fields: PlainFields): string {
  const head = `${timestamp} ${level.padEnd(5)} ${bare(plainName(message))}`;
  const render = (name: string, value: Plain) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    const charactersMax = name === 'stack' ? STACK_CHARACTERS_MAX : FIELD_CHARACTERS_MAX;
    // What was cut already has its mark.
    return `${bare(name)}=${bare(text.length > charactersMax + CUT.length ? cutPlainly(text, charactersMax) : text)}`;
  };
  const pieces = fitting(fields, LINE_CHARACTERS_MAX - head.length, render);
  return [head, ...pieces.map(({ piece }) => piece)].join(' ');
}

/** One JSON object for a collector, its fields in the order of their names. */
export function jsonLine(head: LineHead, fields: PlainFields): string {
  const render = (name: string, value: Plain) => escaped(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const own = Object.entries({ ...head, message: plainName(head.message) }).map(([name, value]) => ({
    name,
    piece: render(name, value),
  }));
  const taken = own.reduce((sum, { piece }) => sum + piece.length + 1, '{}'.length);
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const pieces = [...own, ...fitting(given, LINE_CHARACTERS_MAX - taken, render)];
  pieces.sort((one, other) => (one.name < other.name ? -1 : 1));
  return `{${pieces.map(({ piece }) => piece).join(',')}}`;
}

interface Piece {
  readonly name: string;
  readonly piece: string;
}

/**
 * Fields as they are written, each with the character before it, as far as there is room: every name first, so that a long field keeps no
 * later one out, then what they hold.
 */
function fitting(fields: PlainFields, room: number, render: (name: string, value: Plain) => string): Piece[] {
  const pieces = Object.entries(fields).map(([name, value]) => ({ name, piece: render(name, value) }));
  if (pieces.reduce((sum, { piece }) => sum + piece.length + 1, 0) <= room) return pieces;
  let left = room - FIELDS_CUT_ROOM;
  let cut = 0;
  const marks = pieces.flatMap(({ name, piece }) => {
    const mark = render(name, CUT);
    if (mark.length + 1 > left) {
      cut++;
      return [];
    }
    left -= mark.length + 1;
    return [{ name, piece, mark }];
  });
  const kept = marks.map(({ name, piece, mark }) => {
    const more = piece.length - mark.length;
    if (more > left) {
      cut++;
      return { name, piece: mark };
    }
    left -= more;
    return { name, piece };
  });
  return [...kept, { name: FIELDS_CUT, piece: render(FIELDS_CUT, cut) }];
}

/** As it is where nobody can mistake it, else quoted. */
function bare(text: string): string {
  return /^[\w.:/@%+~-]+$/.test(text) ? text : escaped(JSON.stringify(text));
}

/** What JSON leaves as it is although a terminal obeys it, or shows it as nothing or as something else. */
function escaped(json: string): string {
  if (PRINTABLE_ASCII.test(json)) return json;
  return json.replace(INVISIBLE, (character) => {
    let units = '';
    for (let at = 0; at < character.length; at++) {
      units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
    }
    return units;
  });
}
