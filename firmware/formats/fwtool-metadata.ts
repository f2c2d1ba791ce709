import { crc32 } from 'node:zlib';
import { atOnce, expectedInstead, JsonFault, readingJson } from '../../common/index.js';
import {
  BOARDS_READ_MAX,
  type Fact,
  type FileEnd,
  type Finding,
  type ImageFacts,
  TAIL_BYTES,
} from './format.js';
import { readable } from './text.js';

const TRAILER_BYTES = 16;
const MAGIC = 'FWx0';
const CRC_AT = 4;
const TYPE_AT = 8;
const SIZE_AT = 12;
const SIGNATURE = 0;
const INFORMATION = 1;
/** In front of the JSON: a version and flags. */
const DATA_HEADER_BYTES = 8;
/** Signatures, certificates and the metadata. */
const TRAILERS_MAX = 8;
/** Four times what fwtool writes at most. */
const JSON_BYTES_MAX = 128 * 1_024;
/** Far more than any build system has written. */
const JSON_BOUNDS = { depthMax: 8, tokensMax: 20_000, keysMax: 1_000 };

/**
 * OpenWrt's metadata, which fwtool puts at the end of any image: trailers, each behind what it is about, with a CRC-32 without the final
 * inversion over all before it.
 * @returns null where the file ends with none
 */
export function fwtoolMetadata({ sizeBytes, tail, crcBeforeTail }: FileEnd): Finding | null {
  const tailAt = sizeBytes - tail.length;
  const broken: string[] = [];
  const unread: string[] = [];
  let facts: ImageFacts = {};
  let end = tail.length;
  let trailers = 0;
  while (trailers < TRAILERS_MAX && end >= TRAILER_BYTES) {
    const at = end - TRAILER_BYTES;
    if (tail.toString('latin1', at, at + MAGIC.length) !== MAGIC) break;
    trailers++;
    const size = tail.readUInt32BE(at + SIZE_AT);
    const type = tail[at + TYPE_AT];
    const crc = crc32(tail.subarray(0, at), crcBeforeTail);
    if (~crc >>> 0 !== tail.readUInt32BE(at + CRC_AT))
      broken.push('the CRC-32 of the metadata is not that of the file before it');
    if (size < TRAILER_BYTES || size > tailAt + end) {
      broken.push(`the metadata is said to have ${size} bytes, and there are ${tailAt + end} up to its end`);
      break;
    }
    if (size > end) {
      unread.push(`the metadata has ${size} bytes, and of a file the last ${TAIL_BYTES} are read`);
      break;
    }
    if (type === INFORMATION) {
      const from = end - size + DATA_HEADER_BYTES;
      const read = information(tail.subarray(from, at), tailAt + from);
      if ('facts' in read) facts = read.facts;
      else if ('broken' in read) broken.push(read.broken);
      else unread.push(read.unread);
      break;
    }
    if (type !== SIGNATURE) break;
    end -= size;
  }
  if (trailers === 0) return null;
  return {
    format: 'fwtool-metadata',
    facts,
    checksum: broken.length === 0 ? 'right' : 'wrong',
    broken,
    ...(unread.length > 0 && { unread }),
  };
}

/** What the JSON says, what is wrong with it, or why it is not read. */
type Information = { readonly facts: ImageFacts } | { readonly broken: string } | { readonly unread: string };

function information(bytes: Buffer, atByte: number): Information {
  if (bytes.length > JSON_BYTES_MAX)
    return { unread: `the metadata has ${bytes.length} bytes, and at most ${JSON_BYTES_MAX} are read` };
  let value: unknown;
  try {
    value = atOnce(readingJson(withoutNuls(bytes), JSON_BOUNDS)).value;
  } catch (error) {
    if (error instanceof JsonFault && error.what.kind === 'too-many')
      return { unread: `the metadata goes beyond what is read: ${expectedInstead(error.what)}` };
    return { broken: 'the metadata is no JSON' };
  }
  if (!isObject(value)) return { broken: 'the metadata is no JSON object' };
  return { facts: factsOf(value, atByte) };
}

function factsOf(value: Readonly<Record<string, unknown>>, atByte: number): ImageFacts {
  const told = isObject(value['version']) ? value['version'] : {};
  const fact = (text: string | null, from: string): Fact | undefined =>
    text === null ? undefined : { value: text, from: `${from} in the metadata`, atByte };
  const version = fact(released(readable(told['version'])), 'version.version');
  const hardware = fact(readable(told['board']), 'version.board');
  const description = fact(
    readable(
      ['dist', 'version', 'revision', 'target']
        .map((name) => readable(told[name]))
        .filter(Boolean)
        .join(' '),
    ),
    'version',
  );
  // Where the new ones are, the old ones hold a sentence for who would read it.
  const field = value['new_supported_devices'] === undefined ? 'supported_devices' : 'new_supported_devices';
  const named = value[field];
  const texts = (Array.isArray(named) ? named : []).map(readable).filter((each) => each !== null);
  const boards = [...new Set(texts)].slice(0, BOARDS_READ_MAX);
  return {
    ...(version && { version }),
    ...(hardware && { hardware }),
    ...(description && { description }),
    ...(boards.length > 0 && { boards: { value: boards, from: `${field} in the metadata`, atByte } }),
  };
}

/** A snapshot has the name of all snapshots: whoever runs one does not run this one by that. @returns null for it */
function released(version: string | null): string | null {
  return version === null || !/\d/.test(version) || /snapshot$/i.test(version) ? null : version;
}

function withoutNuls(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
