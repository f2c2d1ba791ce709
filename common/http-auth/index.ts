export {
  type AuthScheme,
  HttpAuthenticator,
  type HttpAuthenticatorParts,
  type RequestHead,
  type Verdict,
} from './authenticator.js';
export { AUTHORIZATION_CHARACTERS_MAX, readAuthorization } from './authorization.js';
export { type DigestAlgorithm, digestAlgorithm, digestResponse, digestSecret } from './digest.js';
export { NONCE_MS_MAX, Nonces } from './nonces.js';
export { type NonceLaw, type NonceUse, SpentNonces } from './spent-nonces.js';
export { WrongCredentials } from './wrong-credentials.js';
