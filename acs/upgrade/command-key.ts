import type { CommandKey, ResultId } from '../../common/index.js';

/** A piece of a key that is shorter could belong to any. */
const CUT_CHARACTERS_MIN = 8;
/** So much of a key (96 bits) cannot be guessed: who has it, has had the Download. */
const PROOF_CHARACTERS_MIN = 16;

const SHORT_KEY = /^[A-Za-z0-9_-]{22}$/;
const LONG_KEY = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
/** What no key begins or ends with: quotes, blanks, filling. */
const FOREIGN_EDGES = /^[^A-Za-z0-9_-]+|[^A-Za-z0-9_-]+$/g;

/**
 * The CommandKey of an upgrade: its uuid in 22 characters of base64url. TR-069 A.3.2.8 allows 32, but clients that reserve just
 * so many give one that fills them back with whatever lies behind.
 */
export function commandKeyOf(id: ResultId): CommandKey {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url') as CommandKey;
}

/** The result a CommandKey names, in either form that Ferry has sent (32 hex digits before 22 characters); null where it is none of ours. */
export function resultIdOf(commandKey: string): ResultId | null {
  if (!SHORT_KEY.test(commandKey)) return resultIdOfHex(commandKey);
  const bytes = Buffer.from(commandKey, 'base64url');
  // The last character has four bits to spare: with any of them set it is not what we sent.
  return bytes.toString('base64url') === commandKey ? resultIdOfHex(bytes.toString('hex')) : null;
}

function resultIdOfHex(hex: string): ResultId | null {
  const parts = LONG_KEY.exec(hex);
  return parts === null ? null : (parts.slice(1).join('-') as ResultId);
}

/**
 * How a key that a CPE gives is that of an upgrade: as it was sent; with more behind it; with its case or what stands around it
 * changed; a piece of it; or there is none, and the upgrade is the only one that can be meant.
 */
export type KeyMatch = 'exact' | 'continued' | 'altered' | 'cut' | 'empty';

/** How a report of a transfer was known to be of an upgrade, where that was not by its CommandKey as it was sent. */
export type ReportMatch = Exclude<KeyMatch, 'exact'> | 'url';

/**
 * Compares what a CPE gives as CommandKey with the one that it was sent. Pure.
 * @returns null for a key that is another's: whole, or too different
 */
export function matchKey(given: string, sent: CommandKey): KeyMatch | null {
  if (given === sent) return 'exact';
  const core = coreOf(given);
  if (core === '') return 'empty';
  if (core === sent && !given.startsWith(sent)) return 'altered';
  if (core.startsWith(sent)) return 'continued';
  const [folded, sentFolded] = [core.toLowerCase(), sent.toLowerCase()];
  if (folded.includes(sentFolded)) return 'altered';
  return core.length >= CUT_CHARACTERS_MIN && sentFolded.includes(folded) ? 'cut' : null;
}

/** Whether so much of the key is there that nobody can have guessed it. */
export function isProofOfKey(given: string, sent: CommandKey): boolean {
  const match = matchKey(given, sent);
  return match !== null && match !== 'empty' && coreOf(given).length >= PROOF_CHARACTERS_MIN;
}

/** Results that a key may name, if it is whole but for what stands around it and behind it. */
export function resultIdsIn(given: string): readonly ResultId[] {
  const core = coreOf(given);
  const found = [core, core.slice(0, 22), core.slice(0, 32).toLowerCase()].map(resultIdOf);
  return [...new Set(found.filter((id) => id !== null))];
}

function coreOf(given: string): string {
  const core = given.replaceAll(FOREIGN_EDGES, '');
  // What printf of C makes of no text at all.
  return core.toLowerCase() === 'null' ? '' : core;
}
