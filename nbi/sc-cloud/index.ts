export { scCloudApi } from './api.js';
