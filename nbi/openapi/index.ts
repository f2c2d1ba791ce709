export { openApiApi, openApiBytes } from './api.js';
export { openApiDocument } from './document.js';
