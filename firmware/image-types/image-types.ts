import { IMAGE_TYPE_TABLE } from './table.js';

/** The versions of the firmware upgrader's API whose types there are. */
export const UPGRADER_VERSIONS = ['1.2', '1.3'] as const;
export type UpgraderVersion = (typeof UPGRADER_VERSIONS)[number];

/** A type of images: which devices an image of a build is for. */
export interface ImageType {
  /** The name of the file without the prefix of its distribution: `ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin`. */
  readonly type: string;
  /** For people. */
  readonly label: string;
  /** The models that it is for, as devices report them: compared to the letter. */
  readonly boards: readonly string[];
  /**
   * The reference wrote its one board so that its own look-up from board to type misses it: such an image can be assigned to any device by
   * hand. Ferry finds it all the same.
   */
  readonly isBare: boolean;
  /** Not known to version 1.2. */
  readonly isSince13: boolean;
}

/** As version 1.2 calls two of them. */
const LABELS_OF_12: ReadonlyMap<string, string> = new Map([
  ['Ubiquiti UniFi AP (OpenWRT 19.07 and later)', 'Ubiquiti UniFi (OpenWRT 19.07 and later)'],
  ['Ubiquiti UniFi AC-LR (OpenWrt 19.07 and later)', 'Ubiquiti UniFi AC LR (OpenWrt 19.07 and later)'],
]);

/** The types of images of one version of the API, by name and by board. */
export class ImageTypes {
  /** In the order of the API. */
  readonly all: readonly ImageType[];
  readonly #byType: ReadonlyMap<string, ImageType>;
  /** The last entry that lists a board wins. */
  readonly #byBoard: ReadonlyMap<string, ImageType>;

  /** @param own  of this installation: they precede the others */
  constructor(version: UpgraderVersion, own: readonly ImageType[] = []) {
    const known = version === '1.2' ? ALL.filter(({ isSince13 }) => !isSince13).map(labelledAs12) : ALL;
    this.all = [...own, ...known.filter(({ type }) => own.every((each) => each.type !== type))];
    this.#byType = new Map(this.all.map((each) => [each.type, each]));
    this.#byBoard = new Map(this.all.flatMap((each) => each.boards.map((board) => [board, each])));
  }

  /** Null for one that is not known. */
  get(type: string): ImageType | null {
    return this.#byType.get(type) ?? null;
  }

  /** The only type that may be assigned to a device of a model; null where no type lists it. */
  ofBoard(model: string): ImageType | null {
    return this.#byBoard.get(model) ?? null;
  }

  /**
   * The type that a file says by its name: what stands behind the first dash (`openwrt-ath79-…`, as its distribution calls it).
   * @returns null where that is no type
   */
  inFileName(fileName: string): ImageType | null {
    const dash = fileName.indexOf('-');
    return dash < 0 ? null : this.get(fileName.slice(dash + 1));
  }
}

const PART_CHARACTERS_MAX = 128;
const BOARDS_MAX = 64;

/**
 * A type of an installation's own, as its operator writes it: `hgw-9000.bin | HGW 9000 | HGW-9000; HGW-9000B`.
 * @returns null for what is none
 */
export function imageTypeIn(text: string): ImageType | null {
  const parts = text.split('|').map((part) => part.trim());
  const { type, label, boards } = typeIn(parts.join(' | '));
  const isText = (part: string) =>
    part !== '' && part.length <= PART_CHARACTERS_MAX && !/[\p{C}]/u.test(part);
  const isOne = parts.length === 3 && [type, label, ...boards].every(isText) && boards.length <= BOARDS_MAX;
  return isOne ? { type, label, boards, isBare: false, isSince13: false } : null;
}

function typeIn(line: string): ImageType {
  const [type = '', label = '', boards = '', ...flags] = line.split(' | ');
  return {
    type,
    label,
    boards: boards.split(';').map((board) => board.trim()),
    isBare: flags.includes('bare'),
    isSince13: flags.includes('since 1.3'),
  };
}

const ALL: readonly ImageType[] = IMAGE_TYPE_TABLE.trim().split('\n').map(typeIn);

function labelledAs12(type: ImageType): ImageType {
  return { ...type, label: LABELS_OF_12.get(type.label) ?? type.label };
}
