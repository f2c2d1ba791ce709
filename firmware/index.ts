export type { ContentStore, ImageContent } from './content-store.js';
export { openDiskContents } from './disk-contents.js';
export {
  createDownloadLocator,
  type DownloadLocator,
  type DownloadLocatorOptions,
  type FileAuth,
  PUBLIC_URL_CHARACTERS_MAX,
  type ResolvedFile,
} from './download-locator.js';
export {
  createFileServer,
  type FileServer,
  type FileServerEvent,
  type FileServerOptions,
} from './file-server.js';
export { fileTokensMasked } from './file-token.js';
export { type Inspected, Inspection } from './formats/index.js';
export * from './image.js';
export { type ImageDocument, imageOf } from './image-document.js';
export { imageIdIn, isImageId } from './image-id.js';
export { hasImages } from './image-lists.js';
export {
  IMAGE_CONTENTS,
  IMAGES,
  type ImageLibraryOptions,
  openImageLibrary,
} from './library.js';
export { sameDescription } from './metadata.js';
export { DEFAULT_SUBNET, type PublicUrl } from './public-url.js';
export { sendImage } from './send-image.js';
export { SharedContents } from './shared-contents.js';
