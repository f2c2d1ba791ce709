import { type CpeId, DAY_MS } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import { type CpeIdentity, isCpeId } from '../device/cpeid.js';

/** What a CPE logs in with: its ManagementServer.Username and Password, of at most 256 characters each (TR-181). */
export interface CpeLogin {
  readonly cpeid: CpeId;
  readonly username: string;
  readonly password: string;
}

/** A user name that one CPE alone logs in with. */
export interface CpeCredential extends Document {
  /** The user name. */
  readonly id: string;
  readonly cpeid: CpeId;
  /** The identities that this CPE had before, as its OUI changed with its firmware: it may speak for them still. The last first. */
  readonly formerly?: readonly CpeId[];
  /** The newest first; each of them is right until the newest has been used. Never more than {@link PASSWORDS_MAX}. */
  readonly passwords: readonly SealedPassword[];
  /** When the CPE used the newest first; absent where it has not yet. */
  readonly provenMs?: number;
}

export interface SealedPassword {
  readonly sealed: string;
  readonly sinceMs: number;
}

/** One that the CPE may still have, and one that it is to have. */
export const PASSWORDS_MAX = 2;

/** A CPE goes to and fro between two. */
export const FORMERLY_MAX = 4;

export const CPE_AUTH: CollectionDefinition = { name: 'cpe-auth', indexes: { cpeid: ['cpeid'] } };

/** That a CPE has used credentials of its own: from then on it may not go without. The id is the cpeid. */
export interface CpeProof extends Document {
  readonly username: string;
  readonly atMs: number;
  /** Where it comes without them, it is given new ones until then: an operator has said that it is the one. */
  readonly readmitUntilMs?: number;
}

/** How long a readmission stands: a CPE that is on comes within a day. */
export const READMISSION_MS = DAY_MS;

export const CPE_PROOFS: CollectionDefinition = { name: 'cpe-proofs', indexes: {} };

const CHARACTERS_MAX = 256;
/** What the store takes as an id. */
const NAME_BYTES_MAX = 512;

/** Credentials that cannot be taken; which of those that were given, counted from 0. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
  constructor(
    message: string,
    readonly index: number,
  ) {
    super(message);
  }
}

/**
 * @param by  by what CPEs are told apart here
 * @returns what is wrong with credentials, naming the field and not its value; null where nothing is
 */
export function problemIn({ cpeid, username, password }: CpeLogin, by: CpeIdentity): string | null {
  if (!isCpeId(cpeid, by)) {
    return by === 'serial'
      ? 'cpeid must be a serial number, as DeviceStorage shows it'
      : 'cpeid must be OUI-ProductClass-SerialNumber, as DeviceStorage shows it';
  }
  // RFC 7617 2: what comes before the first colon of Basic is the user name.
  if (username.includes(':')) return 'username must have no colon';
  for (const [field, value] of [
    ['username', username],
    ['password', password],
  ] as const) {
    if (value === '') return `${field} must not be empty`;
    if (value.length > CHARACTERS_MAX) return `${field} must have at most ${CHARACTERS_MAX} characters`;
    if (/\p{Cc}/u.test(value)) return `${field} must have no control characters`;
  }
  return Buffer.byteLength(username) > NAME_BYTES_MAX
    ? `username must have at most ${NAME_BYTES_MAX} bytes`
    : null;
}
