import {
  FIRMWARE_FILE_TYPE,
  IMAGE_NAME_PATTERN,
  ImageError,
  ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX,
  type Upload,
} from './image.js';

/** TR-069 bounds SoftwareVersion and the like by 64 characters; vendors do not always. */
export const METADATA_CHARACTERS_MAX = 128;
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
}

/** The fields that make two images of one name and content the same image. */
const DESCRIBING_FIELDS = ['fileType', 'softwareVersion', 'productClass', 'hardwareVersion'] as const;

/** True where both say the same of the image. */
export function sameDescription(
  one: Omit<ImageDescription, 'name'>,
  other: Omit<ImageDescription, 'name'>,
): boolean {
  return DESCRIBING_FIELDS.every((field) => one[field] === other[field]);
}

/**
 * Checks everything an upload says of itself before a byte of it is read.
 * @throws ImageError `invalid-metadata`, naming the field and what it should be
 */
export function parseDescription(upload: Upload): ImageDescription {
  const { metadata } = upload;
  checkText('uploadedBy', upload.uploadedBy);
  checkAnnouncement(upload);
  return {
    name: checkName(metadata.name, upload.organization),
    fileType: checkFileType(metadata.fileType),
    ...optionalText('softwareVersion', metadata.softwareVersion),
    ...optionalText('productClass', metadata.productClass),
    ...optionalText('hardwareVersion', metadata.hardwareVersion),
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

function checkAnnouncement(upload: Upload): void {
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

function checkText(field: string, value: string): void {
  if (
    typeof value !== 'string' ||
    [...value.slice(0, 2 * METADATA_CHARACTERS_MAX + 1)].length > METADATA_CHARACTERS_MAX ||
    !PRINTABLE_PATTERN.test(value) ||
    value !== value.trim()
  ) {
    throw invalid(
      field,
      `must be 1 to ${METADATA_CHARACTERS_MAX} printable characters without space at either end; leave it out where it is not known`,
    );
  }
}

function invalid(field: string, expected: string): ImageError {
  return new ImageError('invalid-metadata', field, `${field} ${expected}`);
}
