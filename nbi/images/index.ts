export { imageApi } from './api.js';
export { imageAnswer, imageSchemas, imageView } from './image.js';
