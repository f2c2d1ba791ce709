import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { DeviceTree, nameIn, type TreeProperty } from './device-tree.js';
import {
  BOARDS_READ_MAX,
  type Fact,
  type FileEnd,
  type Finding,
  type Format,
  type ImageFacts,
  type Reader,
} from './format.js';
import { Regions } from './regions.js';
import { textIn, versionIn } from './text.js';

const MAGIC = 0xd00dfeed;
const HEADER_BYTES = 40;
const TOTAL_AT = 4;
const STRUCTURE_AT = 8;
const STRINGS_AT = 12;
const STRINGS_BYTES_AT = 32;
const STRUCTURE_BYTES_AT = 36;
const STRINGS_BYTES_MAX = 64 * 1_024;
const ALIGNED_TO = 4;
/** No build system writes nearly as many; each that is within the tree has four digests. */
const DATA_CHECKED_MAX = 256;
const CRC = 'crc32';
const HASHES = ['md5', 'sha1', 'sha256'] as const;
const IMAGE = /^\/images\/[^/]+$/;
const HASH_OF_IMAGE = /^(\/images\/[^/]+)\/hash(?:[-@][^/]*)?$/;

/** U-Boot's FIT: a device tree whose images are in it, or behind it where their data is external. */
export const fit: Format = {
  recognises: (head) => head.length >= HEADER_BYTES && head.readUInt32BE(0) === MAGIC,
  begin: (head) => new FitReader(head.subarray(0, HEADER_BYTES)),
};

/** Digests of an image's data. */
class Digests {
  readonly #hashes: ReadonlyMap<string, Hash>;
  readonly #hasCrc: boolean;
  #crc = 0;

  /** @param algorithms  those that the file tells, known or not; all that are known where it has not told yet */
  constructor(algorithms: ReadonlySet<string> = new Set([CRC, ...HASHES])) {
    const told = HASHES.filter((name) => algorithms.has(name));
    this.#hashes = new Map(told.map((name) => [name, createHash(name)]));
    this.#hasCrc = algorithms.has(CRC);
  }

  take(bytes: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
    if (this.#hasCrc) this.#crc = crc32(bytes, this.#crc);
  }

  /** In hexadecimal; null for a kind that is not known. */
  of(algorithm: string): string | null {
    if (algorithm === CRC && this.#hasCrc) return this.#crc.toString(16).padStart(8, '0');
    return this.#hashes.get(algorithm)?.copy().digest('hex') ?? null;
  }
}

/** A long value of an image's node: its data, or another, which only its name tells. */
interface LongValue {
  readonly path: string;
  readonly nameAt: number;
  readonly digests: Digests;
}

/** What a hash node of an image says. */
interface ToldHash {
  readonly algorithm: string;
  readonly value: string;
}

/** Data that stands behind the tree. */
interface ExternalData {
  readonly path: string;
  readonly from: number;
  readonly until: number;
}

class FitReader implements Reader {
  readonly #regions = new Regions();
  readonly #totalBytes: number;
  readonly #strings: Buffer[] = [];
  readonly #treeUntil: number;
  readonly #long: LongValue[] = [];
  readonly #digests = new Map<string, Digests>();
  readonly #tree: DeviceTree;
  readonly #broken: string[] = [];
  #properties: readonly TreeProperty[] | null = null;
  #told: ReadonlyMap<string, readonly ToldHash[]> = new Map();
  #external: readonly ExternalData[] = [];
  #unchecked = 0;

  constructor(header: Buffer) {
    this.#totalBytes = header.readUInt32BE(TOTAL_AT);
    const structureAt = header.readUInt32BE(STRUCTURE_AT);
    const structureUntil = structureAt + header.readUInt32BE(STRUCTURE_BYTES_AT);
    const stringsAt = header.readUInt32BE(STRINGS_AT);
    const stringsBytes = header.readUInt32BE(STRINGS_BYTES_AT);
    const stringsUntil = stringsAt + Math.min(stringsBytes, STRINGS_BYTES_MAX);
    this.#treeUntil = Math.max(structureUntil, stringsUntil);
    if (this.#treeUntil > this.#totalBytes)
      this.#broken.push('the parts of the device tree reach beyond what it says is its end');
    this.#tree = new DeviceTree(structureAt, (path, nameAt) => this.#takeLong(path, nameAt));
    this.#regions.watch(structureAt, structureUntil, (bytes) => this.#tree.update(bytes));
    this.#regions.watch(stringsAt, stringsUntil, (bytes) => void this.#strings.push(Buffer.from(bytes)));
  }

  update(chunk: Buffer): void {
    // Up to the end of the tree first: it says what of the rest is looked at.
    const left = this.#properties === null ? this.#treeUntil - this.#regions.at : 0;
    const first = chunk.subarray(0, Math.max(0, left));
    if (first.length > 0) this.#regions.update(first);
    if (this.#properties === null && this.#regions.at >= this.#treeUntil) this.#resolve();
    if (first.length < chunk.length) this.#regions.update(chunk.subarray(first.length));
  }

  #takeLong(path: string, nameAt: number): ((bytes: Buffer) => void) | null {
    if (!IMAGE.test(path)) return null;
    if (this.#long.length >= DATA_CHECKED_MAX) {
      this.#unchecked++;
      return null;
    }
    const digests = new Digests();
    this.#long.push({ path, nameAt, digests });
    return (bytes) => digests.take(bytes);
  }

  #resolve(): void {
    const strings = Buffer.concat(this.#strings);
    const properties = this.#tree.named(strings);
    this.#properties = properties;
    this.#told = hashesByImage(properties);
    for (const { path, nameAt, digests } of this.#long)
      if (nameIn(strings, nameAt) === 'data' && !this.#digests.has(path)) this.#digests.set(path, digests);
    for (const { path, name, value } of properties)
      if (name === 'data' && IMAGE.test(path)) this.#digestsFor(path)?.take(value);
    const behind = Math.ceil(this.#totalBytes / ALIGNED_TO) * ALIGNED_TO;
    this.#external = externalIn(properties, behind).filter(({ path }) => !this.#digests.has(path));
    const watched: ExternalData[] = [];
    for (const data of this.#external) {
      const { path, from, until } = data;
      if (!this.#told.has(path)) continue;
      // What lies within others would be hashed once for each of them, however often a file says so.
      if (from < this.#regions.at || watched.some((other) => from < other.until && until > other.from)) {
        this.#unchecked++;
        continue;
      }
      const digests = this.#digestsFor(path);
      if (digests === null) continue;
      watched.push(data);
      this.#regions.watch(from, until, (part) => digests.take(part));
    }
  }

  /** @returns null where there is nothing to hold the data of an image against, or it is held against it already */
  #digestsFor(path: string): Digests | null {
    const told = this.#told.get(path);
    if (told === undefined || this.#digests.has(path)) return null;
    if (this.#digests.size >= DATA_CHECKED_MAX) {
      this.#unchecked++;
      return null;
    }
    const digests = new Digests(new Set(told.map(({ algorithm }) => algorithm)));
    this.#digests.set(path, digests);
    return digests;
  }

  end({ sizeBytes }: FileEnd): Finding {
    const broken = [...this.#broken];
    if (this.#totalBytes > sizeBytes)
      broken.push(`the FIT header tells of ${this.#totalBytes} bytes, and there are ${sizeBytes}`);
    const { problem, beyond } = this.#tree;
    if (problem !== null) broken.push(`the device tree has ${problem}`);
    const cut = this.#external.filter(({ until }) => until > sizeBytes);
    for (const { path, until } of cut)
      broken.push(`${path} would reach to byte ${until}, and there are ${sizeBytes}`);
    const { checked, wrong } = this.#check(new Set(cut.map(({ path }) => path)));
    broken.push(...wrong);
    const unread = [
      ...(beyond === null ? [] : [`the device tree of the FIT has ${beyond}: it is not read on`]),
      ...(this.#unchecked === 0 ? [] : [uncheckedText(this.#unchecked)]),
    ];
    return {
      format: 'fit',
      facts: factsOf(this.#properties ?? [], beyond === null),
      checksum: broken.length > 0 ? 'wrong' : checked > 0 ? 'right' : 'none',
      broken,
      ...(unread.length > 0 && { unread }),
    };
  }

  #check(cut: ReadonlySet<string>): { readonly checked: number; readonly wrong: readonly string[] } {
    const wrong: string[] = [];
    let checked = 0;
    for (const [path, digests] of this.#digests) {
      if (cut.has(path)) continue;
      for (const { algorithm, value } of this.#told.get(path) ?? []) {
        const found = digests.of(algorithm);
        if (found === null) continue;
        checked++;
        if (found !== value) wrong.push(`the ${algorithm} of ${path} is not that of its data`);
      }
    }
    return { checked, wrong };
  }
}

function uncheckedText(count: number): string {
  return (
    `unchecked pieces of data of the FIT's images: ${count}; at most ${DATA_CHECKED_MAX} are checked, ` +
    'and none that lie in the tree or within another'
  );
}

interface HashNode {
  readonly image: string;
  algorithm?: string;
  value?: string;
}

/** What the hash nodes of each image tell, by its path. */
function hashesByImage(properties: readonly TreeProperty[]): ReadonlyMap<string, readonly ToldHash[]> {
  const nodes = new Map<string, HashNode>();
  for (const { path, name, value } of properties) {
    const [, image] = HASH_OF_IMAGE.exec(path) ?? [];
    if (image === undefined) continue;
    const node: HashNode = nodes.get(path) ?? { image };
    if (name === 'algo') node.algorithm = textIn(value) ?? '';
    if (name === 'value') node.value = value.toString('hex');
    nodes.set(path, node);
  }
  const told = new Map<string, ToldHash[]>();
  for (const { image, algorithm, value } of nodes.values()) {
    if (algorithm === undefined || value === undefined) continue;
    const ofImage = told.get(image) ?? [];
    ofImage.push({ algorithm, value });
    told.set(image, ofImage);
  }
  return told;
}

interface Place {
  size?: number;
  offset?: number;
  position?: number;
}

/** @param behind  the byte that offsets are counted from */
function externalIn(properties: readonly TreeProperty[], behind: number): readonly ExternalData[] {
  const places = new Map<string, Place>();
  for (const { path, name, value } of properties) {
    if (value.length !== 4 || !IMAGE.test(path)) continue;
    const place: Place = places.get(path) ?? {};
    if (name === 'data-size') place.size = value.readUInt32BE(0);
    if (name === 'data-offset') place.offset = value.readUInt32BE(0);
    if (name === 'data-position') place.position = value.readUInt32BE(0);
    places.set(path, place);
  }
  return [...places].flatMap(([path, { size, offset, position }]) => {
    const from = position ?? (offset === undefined ? undefined : behind + offset);
    return size === undefined || from === undefined ? [] : [{ path, from, until: from + size }];
  });
}

/** @param isWhole  all of the tree was read: else more boards may be named than are known, and a CPE of those would be refused */
function factsOf(properties: readonly TreeProperty[], isWhole: boolean): ImageFacts {
  const boards = new Set<string>();
  let boardsAt: number | null = null;
  let description: Fact | null = null;
  let version: Fact | null = null;
  for (const { path, name, value, atByte } of properties) {
    if (/^\/configurations\/[^/]+$/.test(path) && name === 'compatible') {
      boardsAt ??= atByte;
      for (const text of textsIn(value)) if (boards.size < BOARDS_READ_MAX) boards.add(text);
    }
    if (name !== 'description') continue;
    const text = textIn(value);
    if (text === null) continue;
    const fact = { value: text, from: `description of ${path === '' ? 'the FIT' : path}`, atByte };
    if (path === '') description = fact;
    const isTold = path === '' || /^\/images\/kernel/.test(path);
    const told = isTold ? versionIn(text) : null;
    if (told !== null) version ??= { ...fact, value: told };
  }
  return {
    ...(version !== null && { version }),
    ...(boardsAt !== null &&
      isWhole &&
      boards.size > 0 && {
        boards: { value: [...boards], from: 'compatible of the FIT configurations', atByte: boardsAt },
      }),
    ...(description !== null && { description }),
  };
}

function textsIn(value: Buffer): readonly string[] {
  return value
    .toString('latin1')
    .split('\0')
    .flatMap((text) => textIn(Buffer.from(text, 'latin1')) ?? []);
}
