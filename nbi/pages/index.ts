export { pageApis } from './api.js';
export { type CallForm, callForm, FORM_SCRIPT, type FormField, optionPart } from './form.js';
export { Html, html, NOTHING, type Piece } from './html.js';
export { type JsonLinks, type JsonPlace, jsonView, visible } from './json-view.js';
export {
  type Crumb,
  type Page,
  pageHeaders,
  type Reader,
  renderPage,
} from './page.js';
export { readerOf } from './reader.js';
