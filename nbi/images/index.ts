export { type ImageParts, imageApi } from './api.js';
export { imageSchemas } from './image.js';
