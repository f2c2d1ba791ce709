export * from './builds/index.js';
export type { ContentStore, ImageContent, Received } from './content-store.js';
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
export { type Fact, type FormatName, type Inspected, Inspection } from './formats/index.js';
export { GoingImages, IMAGES_GOING } from './going-images.js';
export * from './image.js';
export { type ImageDocument, imageOf } from './image-document.js';
export { imageIdIn, isImageId } from './image-id.js';
export { hasImages } from './image-lists.js';
export { IMAGE_ROOM } from './image-room.js';
export * from './image-types/index.js';
export { type ImageUuids, imageUuidsBy } from './image-uuid.js';
export * from './keeping/index.js';
export {
  IMAGE_CONTENTS,
  IMAGES,
  type ImageLibraryOptions,
  openImageLibrary,
} from './library.js';
export { BOARD_SEPARATOR, BOARDS_MAX, boardsIn, sameDescription } from './metadata.js';
export { imageNameIn } from './named-image.js';
export { DEFAULT_SUBNET, type PublicUrl } from './public-url.js';
export { sendImage } from './send-image.js';
export { SharedContents } from './shared-contents.js';
export {
  IMAGE_KEYS,
  IMAGE_KEYS_MAX,
  type ImageKey,
  ImageKeys,
  KEY_NAME_PATTERN,
  KEY_TEXT_CHARACTERS_MAX,
  SIGNATURE_BYTES_MAX,
  SIGNATURE_EXPECTED,
} from './signatures/index.js';
export {
  SOURCE_URL_CHARACTERS_MAX,
  SourceError,
  type SourceErrorCode,
  SourcePolicy,
} from './sources/index.js';
export { toldByFile } from './told-by-file.js';
export { IMAGES_UNLISTED } from './unlisted-images.js';
export * from './uploads/index.js';
export { type Removal, removeBuildWithImages, removeCategoryWithImages } from './with-images.js';
