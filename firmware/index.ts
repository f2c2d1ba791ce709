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
export * from './image.js';
export { IMAGE_CONTENTS, IMAGES, type ImageLibraryOptions, openImageLibrary } from './library.js';
export { DEFAULT_SUBNET, type PublicUrl } from './public-url.js';
