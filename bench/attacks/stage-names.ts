/** What the data set calls its things, for those who attack it too. */

/** Larger than what the buffers of two sockets hold. */
export const IMAGE_BYTES = 16 * 1_024 * 1_024;
export const IMAGE = 'bench.bin';
/** Of the CPE that is offered an upgrade and may attack then; behind all those that are known. */
export const ROGUE = 900_000;
/** A CPE with a large data model, and the class that a rule for it names. */
export const LARGE_SERIAL = 'LARGE0001';
export const LARGE_CLASS = 'LARGE';
/** Parameters of the large data model: as many subtrees, and names in each, as a server may keep. */
export const SUBTREES = 64;
export const largeParameter = (subtree: number, index: number) => `X_LARGE${subtree}.P${index}`;
