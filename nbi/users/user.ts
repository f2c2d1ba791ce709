import type { CollectionDefinition, Document } from '../../store/index.js';

/** Each may do what the one before may: viewers read, operators also change everything but users. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export function mayActAs(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The lesser of two. */
export function lesserRole(one: Role, other: Role): Role {
  return mayActAs(one, other) ? other : one;
}

export interface User {
  readonly name: string;
  readonly role: Role;
  /** Whoever is not cannot log in, by whatever means. */
  readonly active: boolean;
  /** The id of the organization that he is of, for good; absent: the installation's, who sees all. */
  readonly organization?: string;
  /** Whether he can log in to `/sc_cloud`, by the MD5 of his password. */
  readonly scCloud: boolean;
  readonly createdAtMs: number;
}

/** Whether it is of an organization. @param within  its id; null: whosever it is */
export function isWithin(
  within: string | null,
  { organization }: { readonly organization?: string },
): boolean {
  return within === null || organization === within;
}

/** How a password is kept: the parameters stand beside the key so that they can be raised later. */
export interface PasswordHash {
  readonly algorithm: 'scrypt';
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  /** Both base64. */
  readonly salt: string;
  readonly key: string;
}

/**
 * By what a user is known who shows the MD5 of his password, as clients of `/sc_cloud` do. That cannot be held against the hash of the password
 * itself, so a hash of it is kept beside, of those alone for whom that was switched on.
 */
export interface DigestLogin {
  /** The salt of the password's own hash: with another password it is of no use, whoever has set that. */
  readonly of: string;
  /** Of the digest in lower-case hexadecimal. */
  readonly hash: PasswordHash;
}

/** The id is the user's name. */
export interface UserDocument extends Document {
  readonly role: Role;
  /** Absent: active. */
  readonly active?: false;
  /** Absent: of the installation. */
  readonly organization?: string;
  readonly password: PasswordHash;
  /** Absent: he cannot log in by the digest of his password. */
  readonly digestLogin?: DigestLogin;
  /** How many permanent tokens of his have been revoked; absent: none. */
  readonly tokenGeneration?: number;
  /** Together with the name it says who this is: another may have had the name before. */
  readonly createdAtMs: number;
}

export function toUser(document: UserDocument): User {
  const { id, role, active, organization, createdAtMs } = document;
  return {
    name: id,
    role,
    active: active !== false,
    ...(organization !== undefined && { organization }),
    scCloud: digestHash(document) !== null,
    createdAtMs,
  };
}

/** The hash of the digest of a user's password; null where he cannot log in by it. */
export function digestHash({
  password,
  digestLogin: login,
}: Pick<UserDocument, 'password' | 'digestLogin'>): PasswordHash | null {
  return login?.of === password.salt ? login.hash : null;
}

export const USERS: CollectionDefinition = {
  name: 'users',
  // Only users of organizations are in it.
  indexes: { organization: ['organization'] },
  sequenced: true,
};

/** No colon, which Basic authentication cannot carry in a name. */
export const USER_NAME_PATTERN = /^[A-Za-z0-9_.@-]{1,64}$/;
export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_BYTES_MAX = 1_024;

export type UserErrorCode = 'invalid' | 'exists' | 'not-found' | 'last-admin' | 'changed-meanwhile';

export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(
    readonly code: UserErrorCode,
    readonly field: 'name' | 'password' | 'oldPassword' | 'role' | 'organization' | 'scCloud',
    message: string,
  ) {
    super(message);
  }
}
