export { type PageParts, pageApis } from './api.js';
export type { OpenApiBytes } from './docs.js';
export { Html, html, NOTHING, type Piece } from './html.js';
export {
  ASSETS_PATH,
  type Crumb,
  type Page,
  pageHeaders,
  pagePolicy,
  type Reader,
  renderPage,
  sendPage,
} from './page.js';
export { type LoggedIn, readerOf } from './reader.js';
