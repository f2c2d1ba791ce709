import { mongodbUrl } from '../support/mongodb.js';
import { defineBuildTests } from './builds-conformance.js';
import { defineFactsTests } from './facts-conformance.js';
import { defineLibraryTests } from './library-conformance.js';
import { defineOrganizationTests } from './organizations-conformance.js';
import { defineServingTests } from './serving-conformance.js';
import { sharedLibraryOpener } from './shared-support.js';
import { defineSigningTests } from './signing-conformance.js';

const url = mongodbUrl();
if (url !== null) {
  defineLibraryTests('in GridFS', sharedLibraryOpener(url));
  defineFactsTests('in GridFS', sharedLibraryOpener(url));
  defineOrganizationTests('in GridFS', sharedLibraryOpener(url));
  defineBuildTests('in GridFS', sharedLibraryOpener(url));
  defineSigningTests('in GridFS', sharedLibraryOpener(url));
  defineServingTests('from GridFS', sharedLibraryOpener(url));
}
