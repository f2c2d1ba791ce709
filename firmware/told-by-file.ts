import { runsTarget, sameBoard } from '../common/index.js';
import type { Fact, Inspected } from './formats/index.js';
import { FIRMWARE_FILE_TYPE, type Image, ImageError, type ReadField, type ToldByFile } from './image.js';
import { BOARDS_MAX, type ImageDescription, isMetadataText, METADATA_CHARACTERS_MAX } from './metadata.js';

/** Reasons, and boards, that one sentence names. */
const NAMED_MAX = 5;

/** What is kept of an image whose file was looked into. */
export type Described = ImageDescription & ToldByFile;

/** What was told of an image by its file, to take it elsewhere. */
export function toldByFile({ fromFile, formats, warnings }: Pick<Image, keyof ToldByFile>): ToldByFile {
  return {
    ...(fromFile !== undefined && { fromFile }),
    ...(formats !== undefined && { formats }),
    ...(warnings !== undefined && { warnings }),
  };
}

/**
 * What the uploader has said of an image, filled up with what its file says, and with warnings where the two contradict each other or not all
 * of the file was read.
 * @param isStrict  a contradiction is refused
 * @throws ImageError `invalid` for a file that nobody should flash; `contradiction`
 */
export function describedBy(
  description: ImageDescription,
  { findings, facts, broken, unread }: Inspected,
  isStrict: boolean,
): Described {
  // What a file of a vendor's own type holds, and by what words, only the vendor knows.
  if (description.fileType !== FIRMWARE_FILE_TYPE) return description;
  if (broken.length > 0) throw brokenFile(broken);
  const version = usable(facts.version);
  const hardware = usable(facts.hardware);
  const boards = usableBoards(facts.boards);
  const contradictions = [
    versionContradiction(description, version),
    // Of a file that names more than are read, what was typed may be among the others.
    boardsContradiction(description, namesMore(facts.boards) ? null : boards),
  ].filter((found) => found !== null);
  const [first] = contradictions;
  if (isStrict && first !== undefined) throw refused(first, contradictions);
  const { fromFile: _, ...said } = description;
  const read = {
    ...(said.softwareVersion === undefined && version !== null && { softwareVersion: version.value }),
    ...(said.hardwareVersion === undefined && hardware !== null && { hardwareVersion: hardware.value }),
    ...(said.boards === undefined && boards !== null && { boards: boards.value }),
  };
  const fromFile = Object.keys(read) as ReadField[];
  const formats = findings.map(({ format }) => format);
  const warnings = [
    ...contradictions.map(({ message }) => message),
    ...(fromFile.includes('boards') ? leftOut(facts.boards, boards) : []),
    ...unread,
  ];
  return {
    ...said,
    ...read,
    ...(fromFile.length > 0 && { fromFile }),
    ...(formats.length > 0 && { formats }),
    ...(warnings.length > 0 && { warnings }),
  };
}

interface Contradiction {
  readonly field: 'softwareVersion' | 'boards';
  readonly message: string;
}

/** A text of the file that metadata may hold; else it is as though the file did not say it. */
function usable(fact: Fact | undefined): Fact | null {
  return fact === undefined || !isMetadataText(fact.value) ? null : fact;
}

function usableBoards(fact: Fact<readonly string[]> | undefined): Fact<readonly string[]> | null {
  const value = [...new Set(fact?.value.filter(isMetadataText))].slice(0, BOARDS_MAX);
  return fact === undefined || value.length === 0 ? null : { ...fact, value };
}

function versionContradiction(
  { softwareVersion: typed }: ImageDescription,
  read: Fact | null,
): Contradiction | null {
  if (typed === undefined || read === null) return null;
  // As a CPE reports it there may be more around it, and as the file says it too.
  const isSame =
    runsTarget(typed, { version: read.value, isRead: true }) ||
    runsTarget(read.value, { version: typed, isRead: true });
  if (isSame) return null;
  const message = `softwareVersion was given as ${quoted(typed)}, but the file says ${quoted(read.value)} (${placeOf(read)})`;
  return { field: 'softwareVersion', message };
}

function boardsContradiction(
  { boards: typed }: ImageDescription,
  read: Fact<readonly string[]> | null,
): Contradiction | null {
  if (typed === undefined || read === null) return null;
  const others = typed.filter((board) => !read.value.some((named) => sameBoard(board, named)));
  if (others.length === 0) return null;
  const message = `boards were given as ${listed(others)}, but the file is for ${listed(read.value)} (${placeOf(read)})`;
  return { field: 'boards', message };
}

function namesMore(told: Fact<readonly string[]> | undefined): boolean {
  return told !== undefined && told.value.length > BOARDS_MAX;
}

/** A CPE of a board that was left out would be said not to fit, and nobody knew why. */
function leftOut(
  told: Fact<readonly string[]> | undefined,
  kept: Fact<readonly string[]> | null,
): readonly string[] {
  const count = (told?.value.length ?? 0) - (kept?.value.length ?? 0);
  if (count <= 0) return [];
  const atLeast = namesMore(told) ? 'at least ' : '';
  return [
    `${atLeast}${count} of the boards that the file names are left out: an image has at most ${BOARDS_MAX}, of at most ${METADATA_CHARACTERS_MAX} characters each`,
  ];
}

function placeOf({ from, atByte }: Pick<Fact, 'from' | 'atByte'>): string {
  return `${from}, byte ${atByte}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function listed(boards: readonly string[]): string {
  const more = boards.length > NAMED_MAX ? ` and ${boards.length - NAMED_MAX} more` : '';
  return `${boards.slice(0, NAMED_MAX).map(quoted).join(', ')}${more}`;
}

function brokenFile(broken: readonly string[]): ImageError {
  const more = broken.length > NAMED_MAX ? `; and ${broken.length - NAMED_MAX} more` : '';
  return new ImageError(
    'invalid',
    null,
    `the file is broken: ${broken.slice(0, NAMED_MAX).join('; ')}${more}. Fetch or build it anew`,
  );
}

function refused({ field }: Contradiction, contradictions: readonly Contradiction[]): ImageError {
  const message = contradictions.map((contradiction) => contradiction.message).join('; ');
  return new ImageError('contradiction', field, `${message}: correct it, or leave it out`);
}
