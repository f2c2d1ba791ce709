export { type MethodParts, methodApi } from './api.js';
export { methodAnswerSchemas } from './dialect.js';
export { methodSchemas } from './schemas.js';
