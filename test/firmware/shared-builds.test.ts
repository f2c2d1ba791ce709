import { mongodbUrl } from '../support/mongodb.js';
import { defineBuildTests } from './builds-conformance.js';
import { sharedLibraryOpener } from './shared-support.js';

const url = mongodbUrl();
if (url !== null) defineBuildTests('in GridFS', sharedLibraryOpener(url));
