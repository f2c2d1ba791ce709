import { createHash, type Hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { DeviceTree, type TreeProperty } from './device-tree.js';
import type { Fact, FileEnd, Finding, Format, ImageFacts, Reader } from './format.js';
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
const BOARDS_MAX = 256;
const ALIGNED_TO = 4;
const HASHES = ['md5', 'sha1', 'sha256'] as const;

/** U-Boot's FIT: a device tree whose images are in it, or behind it where their data is external. */
export const fit: Format = {
  recognises: (head) => head.length >= HEADER_BYTES && head.readUInt32BE(0) === MAGIC,
  begin: (head) => new FitReader(head.subarray(0, HEADER_BYTES)),
};

/** The digests of an image's data, of whichever kind the file will turn out to have told. */
class Digests {
  readonly #hashes: ReadonlyMap<string, Hash> = new Map(HASHES.map((name) => [name, createHash(name)]));
  #crc = 0;

  take(bytes: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(bytes);
    this.#crc = crc32(bytes, this.#crc);
  }

  /** In hexadecimal; null for a kind that is not known. */
  of(algorithm: string): string | null {
    if (algorithm === 'crc32') return this.#crc.toString(16).padStart(8, '0');
    return this.#hashes.get(algorithm)?.copy().digest('hex') ?? null;
  }
}

class FitReader implements Reader {
  readonly #regions = new Regions();
  readonly #totalBytes: number;
  readonly #strings: Buffer[] = [];
  readonly #treeUntil: number;
  readonly #data = new Map<string, { readonly until: number; readonly digests: Digests }>();
  readonly #tree: DeviceTree;
  readonly #broken: string[] = [];
  #properties: readonly TreeProperty[] | null = null;

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
    this.#tree = new DeviceTree(structureAt, (path) => {
      if (!/^\/images\/[^/]+$/.test(path)) return null;
      const digests = new Digests();
      this.#data.set(path, { until: 0, digests });
      return (bytes) => digests.take(bytes);
    });
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

  #resolve(): void {
    this.#properties = this.#tree.named(Buffer.concat(this.#strings));
    const external = new Map<
      string,
      Partial<Record<'data-size' | 'data-offset' | 'data-position', number>>
    >();
    for (const { path, name, value } of this.#properties) {
      const isPlace = name === 'data-size' || name === 'data-offset' || name === 'data-position';
      if (isPlace && value.length === 4)
        external.set(path, { ...external.get(path), [name]: value.readUInt32BE(0) });
      if (name === 'data' && /^\/images\/[^/]+$/.test(path) && !this.#data.has(path)) {
        const digests = new Digests();
        digests.take(value);
        this.#data.set(path, { until: 0, digests });
      }
    }
    const behind = Math.ceil(this.#totalBytes / ALIGNED_TO) * ALIGNED_TO;
    for (const [path, { 'data-size': bytes, 'data-offset': offset, 'data-position': position }] of external) {
      const from = position ?? (offset === undefined ? undefined : behind + offset);
      if (bytes === undefined || from === undefined || this.#data.has(path)) continue;
      const digests = new Digests();
      this.#data.set(path, { until: from + bytes, digests });
      this.#regions.watch(from, from + bytes, (part) => digests.take(part));
    }
  }

  end({ sizeBytes }: FileEnd): Finding {
    const broken = [...this.#broken];
    if (this.#totalBytes > sizeBytes)
      broken.push(`the FIT header tells of ${this.#totalBytes} bytes, and there are ${sizeBytes}`);
    if (this.#tree.problem !== null) broken.push(`the device tree has ${this.#tree.problem}`);
    const properties = this.#properties ?? [];
    let checked = 0;
    for (const [path, { until, digests }] of this.#data) {
      if (until > sizeBytes) broken.push(`${path} would reach to byte ${until}, and there are ${sizeBytes}`);
      else
        for (const told of hashesOf(properties, path)) {
          const found = digests.of(told.algorithm);
          if (found === null) continue;
          checked++;
          if (found !== told.value) broken.push(`the ${told.algorithm} of ${path} is not that of its data`);
        }
    }
    return {
      format: 'fit',
      facts: factsOf(properties),
      checksum: broken.length > 0 ? 'wrong' : checked > 0 ? 'right' : 'none',
      broken,
    };
  }
}

function hashesOf(properties: readonly TreeProperty[], image: string) {
  const nodes = new Map<string, { algorithm?: string; value?: string }>();
  for (const { path, name, value } of properties) {
    if (!path.startsWith(`${image}/`) || !/^hash(?:[-@]|$)/.test(path.slice(image.length + 1))) continue;
    const node = nodes.get(path) ?? {};
    if (name === 'algo') node.algorithm = textIn(value) ?? '';
    if (name === 'value') node.value = value.toString('hex');
    nodes.set(path, node);
  }
  return [...nodes.values()].flatMap(({ algorithm, value }) =>
    algorithm === undefined || value === undefined ? [] : [{ algorithm, value }],
  );
}

function factsOf(properties: readonly TreeProperty[]): ImageFacts {
  const boards: string[] = [];
  let boardsAt: number | null = null;
  let description: Fact | null = null;
  let version: Fact | null = null;
  for (const { path, name, value, atByte } of properties) {
    if (/^\/configurations\/[^/]+$/.test(path) && name === 'compatible') {
      boardsAt ??= atByte;
      for (const text of textsIn(value))
        if (!boards.includes(text) && boards.length < BOARDS_MAX) boards.push(text);
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
      boards.length > 0 && {
        boards: { value: boards, from: 'compatible of the FIT configurations', atByte: boardsAt },
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
