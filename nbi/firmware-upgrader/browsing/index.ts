export { upgraderPages } from './page-maker.js';
