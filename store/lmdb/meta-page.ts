// The first two pages of an LMDB file describe it, in turn: the newer one holds. Each is a page header of 24 bytes and then
// `struct MDB_meta` of lmdb 3, little-endian. Its trees of free pages and of everything else are `struct MDB_db`.
const FLAGS_AT = 18;
const FLAG_META = 0x08;
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const VERSION_AT = 28;
const VERSION = 2;
/** The size of a page, in the tree of free pages. */
const PAGE_BYTES_AT = 48;
const FREE_ROOT_AT = 88;
const MAIN_ROOT_AT = 136;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;

/** So much of either page is read. */
export const META_BYTES = 160;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 64 * 1024;
/** The root of a tree without entries. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

export interface Meta {
  readonly pageBytes: number;
  /** The last page that was ever in use. */
  readonly lastPage: number;
  readonly transaction: bigint;
  /** Where the tree of free pages begins; null where there are none. */
  readonly freeRoot: number | null;
}

export type MetaPage =
  | { readonly kind: 'meta'; readonly meta: Meta }
  | { readonly kind: 'other-version'; readonly found: number; readonly known: typeof VERSION }
  | { readonly kind: 'not-one'; readonly how: string };

/** What one of the two pages says. @param page  its first {@link META_BYTES} bytes */
export function readMetaPage(page: Buffer): MetaPage {
  if ((page.readUInt16LE(FLAGS_AT) & FLAG_META) === 0 || page.readUInt32LE(MAGIC_AT) !== MAGIC) {
    return { kind: 'not-one', how: 'it does not begin as one' };
  }
  const found = page.readUInt16LE(VERSION_AT);
  if (found !== VERSION) return { kind: 'other-version', found, known: VERSION };
  const pageBytes = page.readUInt32LE(PAGE_BYTES_AT);
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX || (pageBytes & (pageBytes - 1)) !== 0) {
    return { kind: 'not-one', how: `its pages would have ${pageBytes} bytes` };
  }
  const lastPage = page.readBigUInt64LE(LAST_PAGE_AT);
  const roots = [FREE_ROOT_AT, MAIN_ROOT_AT].map((at) => page.readBigUInt64LE(at));
  if (
    lastPage > BigInt(Math.floor(Number.MAX_SAFE_INTEGER / pageBytes)) ||
    roots.some((root) => root !== NO_PAGE && root > lastPage)
  ) {
    return { kind: 'not-one', how: 'a tree in it begins beyond its end' };
  }
  const [freeRoot = NO_PAGE] = roots;
  return {
    kind: 'meta',
    meta: {
      pageBytes,
      lastPage: Number(lastPage),
      transaction: page.readBigUInt64LE(TRANSACTION_AT),
      freeRoot: freeRoot === NO_PAGE ? null : Number(freeRoot),
    },
  };
}
