import { openMongoStore } from '../../store/index.js';
import { mongodbUrl, testDatabase } from '../support/mongodb.js';
import { conformance } from './conformance.js';

/** Whether a store is right is asked here, not how fast it is. */
const TIMEOUT_MS = 60_000;

const url = mongodbUrl();
if (url !== null) {
  conformance('mongodb', {
    place: async (t) => testDatabase(t, url),
    open: (database) => openMongoStore({ url, database, timeoutMs: TIMEOUT_MS }),
    opensTwice: true,
    numRuns: 15,
  });
}
