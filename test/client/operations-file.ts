import { fileURLToPath } from 'node:url';

/** What is made of the OpenAPI document. */
export const OPERATIONS_FILE = fileURLToPath(new URL('../../../client/operations.ts', import.meta.url));
