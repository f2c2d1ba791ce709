import { mongodbUrl } from '../support/mongodb.js';
import { defineFactsTests } from './facts-conformance.js';
import { sharedLibraryOpener } from './shared-support.js';

const url = mongodbUrl();
if (url !== null) defineFactsTests('in GridFS', sharedLibraryOpener(url));
