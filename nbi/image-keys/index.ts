export { imageKeyApi, imageKeySchemas } from './api.js';
