export { type PageParts, pageApis } from './api.js';
export type { OpenApiBytes } from './docs.js';
export { type CallForm, callForm, FORM_SCRIPT, type FormField, optionPart } from './form.js';
export { Html, html, NOTHING, type Piece } from './html.js';
export { type JsonLinks, type JsonPlace, jsonView, visible } from './json-view.js';
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
