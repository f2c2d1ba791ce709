export { uploadApi } from './api.js';
export { uploadPlaces } from './places.js';
export { uploadSchemas } from './upload.js';
