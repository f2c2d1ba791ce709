export { type MethodParts, methodRoutes } from './routes.js';
