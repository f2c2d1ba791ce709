export { decodeEnvelope } from './decode.js';
export { encodeEnvelope } from './encode.js';
export { SOAP_LIMITS, type SoapLimits } from './limits.js';
export * from './message.js';
