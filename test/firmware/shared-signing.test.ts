import { mongodbUrl } from '../support/mongodb.js';
import { sharedLibraryOpener } from './shared-support.js';
import { defineSigningTests } from './signing-conformance.js';

const url = mongodbUrl();
if (url !== null) defineSigningTests('in GridFS', sharedLibraryOpener(url));
