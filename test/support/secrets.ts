import { createSecrets, type Secrets } from '../../common/index.js';

const KEY_BYTES = 32;

/** What seals and opens in tests: of one key in every process, so that they can share a store. */
export const testSecrets: Secrets = createSecrets(Buffer.alloc(KEY_BYTES, 7));
