export { openApiApi } from './api.js';
export { openApiDocument } from './document.js';
