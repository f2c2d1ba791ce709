export { batchApi } from './api.js';
export { batchSchemas } from './batch.js';
