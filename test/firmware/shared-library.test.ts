import { mongodbUrl } from '../support/mongodb.js';
import { defineLibraryTests } from './library-conformance.js';
import { defineOrganizationTests } from './organizations-conformance.js';
import { defineServingTests } from './serving-conformance.js';
import { sharedLibraryOpener } from './shared-support.js';

const url = mongodbUrl();
if (url !== null) {
  defineLibraryTests('in GridFS', sharedLibraryOpener(url));
  defineOrganizationTests('in GridFS', sharedLibraryOpener(url));
  defineServingTests('from GridFS', sharedLibraryOpener(url));
}
