// Detached signatures of images, and the public keys by which they are verified.
export {
  type HoldingKeys,
  IMAGE_KEYS,
  IMAGE_KEYS_MAX,
  type ImageKey,
  ImageKeys,
  KEY_NAME_PATTERN,
} from './image-keys.js';
export { KEY_TEXT_CHARACTERS_MAX, type PublicKey } from './public-key.js';
export {
  badSignature,
  parseSignature,
  SIGNATURE_BYTES_MAX,
  SIGNATURE_EXPECTED,
  type Signature,
  type SignatureAlgorithm,
} from './signature.js';
export { candidatesOf, keyOf, type SignedContent } from './verify.js';
