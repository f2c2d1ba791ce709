import { sharedLibraryOpener } from '../firmware/shared-support.js';
import { openTestLibrary } from '../firmware/support.js';
import { mongodbUrl } from '../support/mongodb.js';
import { defineKeepingTests } from './keeping-conformance.js';

defineKeepingTests('on disk', openTestLibrary);

const url = mongodbUrl();
if (url !== null) defineKeepingTests('in GridFS', sharedLibraryOpener(url));
