export { PASSWORD_DIGEST_PATTERN } from './digest-login.js';
export type { LogIns, RefusedLogIn } from './log-ins.js';
export { checkPassword } from './password.js';
export { byPassword, bySession, byToken, type Principal } from './principal.js';
export {
  SUBNET_CHARACTERS_MAX,
  TOKEN_DAYS_DEFAULT,
  TOKEN_DAYS_MAX,
  TOKEN_NAME_CHARACTERS_MAX,
  TOKEN_SUBNETS_MAX,
  TOKENS,
  type Token,
  TokenError,
  type TokenErrorCode,
} from './token.js';
export type { ShownToken, TokenVerification } from './token-verifier.js';
export type { NewToken, Tokens } from './tokens.js';
export {
  isWithin,
  mayActAs,
  ROLES,
  type Role,
  USERS,
  type User,
  UserError,
  type UserErrorCode,
} from './user.js';
export type { FoundUser } from './user-lookup.js';
export type { NewUser, UserChange } from './user-records.js';
export { FIRST_ADMIN_NAME, openUsers, type Users } from './users.js';
export type { Credentials, Verification } from './verifier.js';
