export { decodeEnvelope } from './decode.js';
export { encodeEnvelope } from './encode.js';
export { SHORT_TEXT_CHARACTERS_MAX, SOAP_LIMITS, type SoapLimits } from './limits.js';
export * from './message.js';
