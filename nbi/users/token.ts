import { createHash, randomBytes } from 'node:crypto';
import { DAY_MS, isListed, type Secrets, stillHolds, subnetList } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import { lesserRole, type Role } from './user.js';

/** What of a token may be shown at any time. */
export interface Token {
  readonly id: string;
  readonly name: string;
  /** Whose it is. */
  readonly user: string;
  /** The organization that its user is of; absent: the installation's. */
  readonly organization?: string;
  /** What it is limited to, where its user may do more. */
  readonly role: Role;
  /** From where it may be used; empty: from anywhere. */
  readonly subnets: readonly string[];
  readonly createdAtMs: number;
  /** Null: it holds as long as its user has the password that it was given for. */
  readonly expiresAtMs: number | null;
  /** Absent: not yet. */
  readonly lastUsedMs?: number;
  readonly lastUsedFrom?: string;
}

export interface TokenDocument extends Document {
  readonly name: string;
  readonly user: string;
  /** `createdAtMs` of its user: it is not that of another who comes to have the name. */
  readonly userSinceMs: number;
  /** Of its user, who is of it for good. */
  readonly organization?: string;
  readonly role: Role;
  readonly subnets?: readonly string[];
  readonly createdAtMs: number;
  /** Null of a permanent one. */
  readonly expiresAtMs: number | null;
  /** Of its user when it was given, where it is permanent: it holds as long as he has that password. */
  readonly passwordMark?: string;
  /** SHA-256 of its secret part, base64: nobody can guess that, so nothing slower is needed. */
  readonly hash: string;
  readonly lastUsedMs?: number;
  readonly lastUsedFrom?: string;
}

export const TOKENS: CollectionDefinition = {
  name: 'tokens',
  indexes: { user: ['user'], organization: ['organization'] },
};

export const TOKEN_DAYS_DEFAULT = 365;
export const TOKEN_DAYS_MAX = 3_650;
export const TOKEN_MS_MAX = TOKEN_DAYS_MAX * DAY_MS;
export const TOKENS_PER_USER_MAX = 100;
export const TOKEN_NAME_CHARACTERS_MAX = 64;
export const TOKEN_SUBNETS_MAX = 32;
export const SUBNET_CHARACTERS_MAX = 64;

const ID_BYTES = 10;
const SECRET_BYTES = 32;
/** Whoever looks for secrets in texts knows it by its beginning. */
const TOKEN = /^ferry_([0-9a-f]{20})_([A-Za-z0-9_-]{43})$/;

/** A new one: its id, which is no secret, and all of it, which is. */
export function generateToken(): { readonly id: string; readonly text: string; readonly hash: string } {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, text: `ferry_${id}_${secret}`, hash: hashOf(secret).toString('base64') };
}

/** A permanent one: all of it is secret. */
const PERMANENT = /^[0-9a-f]{40}$/;
const PERMANENT_CHARACTERS = 40;

/** What a permanent token follows from. */
export interface PermanentTokenOf {
  readonly user: string;
  /** `createdAtMs` of its user. */
  readonly userSinceMs: number;
  readonly passwordMark: string;
  /** Grows with each that is revoked. */
  readonly generation: number;
}

/** The permanent token of a user: the same whenever he asks for it, until he has another password or it is revoked. */
export function permanentToken(
  { user, userSinceMs, passwordMark, generation }: PermanentTokenOf,
  secrets: Pick<Secrets, 'mac'>,
): string {
  // A name has no line end in it, and neither have the others.
  const message = [user, userSinceMs, passwordMark, generation].join('\n');
  return secrets.mac('permanent-token', message).toString('hex').slice(0, PERMANENT_CHARACTERS);
}

/** @returns null for what is no token */
export function parseToken(text: string): { readonly id: string; readonly hash: Buffer } | null {
  if (PERMANENT.test(text)) {
    const id = createHash('sha256').update(`id ${text}`).digest('hex');
    return { id: id.slice(0, 2 * ID_BYTES), hash: hashOf(text) };
  }
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, hash: hashOf(secret) };
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * Why a token is not taken, whoever shows it; null: it is.
 * @param address  from where; undefined: from where it may be used
 */
export function whyNotTaken(
  { expiresAtMs, subnets = [] }: Pick<TokenDocument, 'expiresAtMs' | 'subnets'>,
  address: string | undefined,
  nowMs: number,
): 'wrong' | 'expired' | null {
  // First: who tries it from elsewhere is not told when it is over.
  if (address !== undefined && subnets.length > 0 && !isListed(subnetList(subnets), address)) return 'wrong';
  if (expiresAtMs === null) return null;
  return stillHolds(expiresAtMs, TOKEN_MS_MAX, nowMs) ? null : 'expired';
}

export function toToken(document: TokenDocument): Token {
  const { id, name, user, organization, role, subnets = [], createdAtMs, expiresAtMs } = document;
  const { lastUsedMs, lastUsedFrom } = document;
  return {
    id,
    name,
    user,
    ...(organization !== undefined && { organization }),
    role,
    subnets,
    createdAtMs,
    expiresAtMs,
    ...(lastUsedMs !== undefined && { lastUsedMs }),
    ...(lastUsedFrom !== undefined && { lastUsedFrom }),
  };
}

/**
 * As it may be shown: what a permanent one is good for is what its user may do.
 * @param user  whose it is; null: nobody's any more
 */
export function shownFor(document: TokenDocument, user: { readonly role: Role } | null): Token {
  const token = toToken(document);
  if (document.passwordMark === undefined || user === null) return token;
  return { ...token, role: lesserRole(token.role, user.role) };
}

/** As events show it: nothing of its secret part, not even hashed. */
export function shownInEvents({ name, user, role, subnets, expiresAtMs }: Token) {
  return { name, user, role, subnets, expiresAtMs };
}

export type TokenErrorCode = 'invalid' | 'not-found' | 'too-many';

export class TokenError extends Error {
  override readonly name = 'TokenError';
  constructor(
    readonly code: TokenErrorCode,
    readonly field: 'id' | 'name' | 'user' | 'role' | 'expiresAt' | 'subnets',
    message: string,
  ) {
    super(message);
  }
}
