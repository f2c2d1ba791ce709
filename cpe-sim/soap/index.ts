export { decodeEnvelope, ENVELOPE_BYTES_MAX, EnvelopeError } from './decode.js';
export { encodeEnvelope } from './encode.js';
export * from './message.js';
export { DEFAULT_STYLE, type EnvelopeStyle, SAMPLE_STYLES } from './style.js';
