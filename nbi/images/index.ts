export { type ImageParts, imageRoutes } from './routes.js';
