export { imageApi } from './api.js';
export { downloadPlaces } from './download-places.js';
export { freeName, otherName, storedName } from './file-name.js';
export { checkFormSize } from './form-size.js';
export { imageAnswer, imageSchemas, imageView } from './image.js';
export { requireUnnamed } from './naming-rules.js';
export { placeSaid } from './place.js';
export { sameAs } from './same-content.js';
export { SIGNATURE_HEADER, signatureIn } from './signature.js';
