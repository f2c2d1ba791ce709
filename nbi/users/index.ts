export { checkPassword } from './password.js';
export { mayActAs, ROLES, type Role, USERS, type User, UserError, type UserErrorCode } from './user.js';
export { type Credentials, FIRST_ADMIN_NAME, openUsers, type Users, type Verification } from './users.js';
