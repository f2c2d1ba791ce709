export { checkPassword } from './password.js';
export { byPassword, type Principal } from './principal.js';
export { mayActAs, ROLES, type Role, USERS, type User, UserError, type UserErrorCode } from './user.js';
export type { FoundUser } from './user-lookup.js';
export { FIRST_ADMIN_NAME, openUsers, type Users } from './users.js';
export type { Credentials, Verification } from './verifier.js';
