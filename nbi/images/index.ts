export { imageApi } from './api.js';
export { imageSchemas } from './image.js';
