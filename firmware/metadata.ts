import {
  FIRMWARE_FILE_TYPE,
  IMAGE_NAME_PATTERN,
  ImageError,
  ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX,
  type ReadField,
  type Upload,
} from './image.js';

/** TR-069 bounds SoftwareVersion and the like by 64 characters; vendors do not always. */
export const METADATA_CHARACTERS_MAX = 128;
/** More boards than any build system names in one file. */
export const BOARDS_MAX = 256;
/** Between boards in one text: a device tree's `vendor,model` has a comma in it. */
export const BOARD_SEPARATOR = ';';
/** FileType of Download is string(64) (TR-069 A.3.2.8). */
const FILE_TYPE_CHARACTERS_MAX = 64;
const VENDOR_FILE_TYPE_PATTERN = /^X [0-9A-F]{6} [\x21-\x7e][\x20-\x7e]*$/;
/** No control, format, private or unassigned characters, no halves of a surrogate pair, no line separators. */
const PRINTABLE_PATTERN = /^[^\p{C}\p{Zl}\p{Zp}]+$/u;
const SHA256_PATTERN = /^[0-9a-f]{64}$/i;

/** What an upload says of itself, checked. */
export interface ImageDescription {
  readonly name: string;
  readonly fileType: string;
  readonly softwareVersion?: string;
  readonly productClass?: string;
  readonly hardwareVersion?: string;
  readonly boards?: readonly string[];
  /** Which of these are from a file: what is brought from elsewhere says so. */
  readonly fromFile?: readonly ReadField[];
}

/**
 * True where both say the same of an image of one name and content: what nobody has typed says nothing, whether or not the file was asked for
 * it. So whoever uploads again what was uploaded before files were looked into is not told that the name is taken.
 */
export function sameDescription(
  one: Omit<ImageDescription, 'name'>,
  other: Omit<ImageDescription, 'name'>,
): boolean {
  if (one.fileType !== other.fileType || one.productClass !== other.productClass) return false;
  // CPEs are held against a hardware version only where it was typed, so that one that was read is not the same.
  if (typed(one, 'hardwareVersion') !== typed(other, 'hardwareVersion')) return false;
  return (['softwareVersion', 'boards'] as const).every(
    (field) =>
      textOf(one[field]) === textOf(other[field]) ||
      textOf(typed(one, field)) === textOf(typed(other, field)),
  );
}

function typed<Field extends ReadField>(
  description: Pick<ImageDescription, Field | 'fromFile'>,
  field: Field,
): ImageDescription[Field] | undefined {
  return description.fromFile?.includes(field) ? undefined : description[field];
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/**
 * Checks everything an upload says of itself before a byte of it is read.
 * @throws ImageError `invalid-metadata`, naming the field and what it should be
 */
export function parseDescription(upload: Omit<Upload, 'content'>): ImageDescription {
  const { metadata } = upload;
  checkText('uploadedBy', upload.uploadedBy);
  checkAnnouncement(upload);
  const fromFile = upload.asItWas?.fromFile ?? [];
  return {
    name: checkName(metadata.name, upload.organization),
    fileType: checkFileType(metadata.fileType),
    ...optionalText('softwareVersion', metadata.softwareVersion),
    ...optionalText('productClass', metadata.productClass),
    ...optionalText('hardwareVersion', metadata.hardwareVersion),
    ...(metadata.boards !== undefined && { boards: checkBoards(metadata.boards) }),
    ...(fromFile.length > 0 && { fromFile }),
  };
}

function checkName(name: string, organization: string | undefined): string {
  if (typeof name !== 'string' || !IMAGE_NAME_PATTERN.test(name)) {
    throw invalid(
      'name',
      'must be 1 to 128 of the characters A-Z a-z 0-9 _ . ~ - and begin with none of . and -',
    );
  }
  if (organization !== undefined && name.length > ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX) {
    throw invalid(
      'name',
      `must be at most ${ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX} characters: this one has ${name.length}, and the URL of an ` +
        "organization's image has its id in front",
    );
  }
  return name;
}

function checkFileType(fileType: string | undefined): string {
  if (fileType === undefined || fileType === FIRMWARE_FILE_TYPE) return FIRMWARE_FILE_TYPE;
  if (
    typeof fileType === 'string' &&
    fileType.length <= FILE_TYPE_CHARACTERS_MAX &&
    VENDOR_FILE_TYPE_PATTERN.test(fileType)
  ) {
    return fileType;
  }
  throw invalid(
    'fileType',
    `must be "${FIRMWARE_FILE_TYPE}", or a vendor's own type "X <OUI> <name>" (the OUI as 6 upper-case hex digits) ` +
      `of at most ${FILE_TYPE_CHARACTERS_MAX} characters`,
  );
}

function checkAnnouncement(upload: Omit<Upload, 'content'>): void {
  const { sha256, sizeBytes } = upload;
  if (sha256 !== undefined && !(typeof sha256 === 'string' && SHA256_PATTERN.test(sha256))) {
    throw invalid('sha256', 'must be 64 hexadecimal digits');
  }
  if (sizeBytes !== undefined && !(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0)) {
    throw invalid('sizeBytes', 'must be a whole number of bytes');
  }
}

function optionalText<Field extends string>(
  field: Field,
  value: string | undefined,
): Partial<Record<Field, string>> {
  if (value === undefined) return {};
  checkText(field, value);
  const named: Partial<Record<Field, string>> = {};
  named[field] = value;
  return named;
}

function checkBoards(boards: readonly string[]): readonly string[] {
  if (!Array.isArray(boards) || boards.length === 0 || boards.length > BOARDS_MAX) {
    throw invalid('boards', `must be 1 to ${BOARDS_MAX} boards; leave them out where they are not known`);
  }
  for (const board of boards) checkText('boards', board);
  return [...new Set(boards)];
}

/** Boards that were given as one text; what is wrong with them the upload says. */
export function boardsIn(text: string): readonly string[] {
  return text.split(BOARD_SEPARATOR, BOARDS_MAX + 1).map((board) => board.trim());
}

/** Whether an image's metadata may hold a text. */
export function isMetadataText(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    [...value.slice(0, 2 * METADATA_CHARACTERS_MAX + 1)].length <= METADATA_CHARACTERS_MAX &&
    PRINTABLE_PATTERN.test(value) &&
    value === value.trim()
  );
}

function checkText(field: string, value: string): void {
  if (!isMetadataText(value)) {
    throw invalid(
      field,
      `must be 1 to ${METADATA_CHARACTERS_MAX} printable characters without space at either end; leave it out where it is not known`,
    );
  }
}

function invalid(field: string, expected: string): ImageError {
  return new ImageError('invalid-metadata', field, `${field} ${expected}`);
}
