export { imageApi } from './api.js';
export { imageSchemas } from './image.js';
export { requireUnnamed } from './naming-rules.js';
