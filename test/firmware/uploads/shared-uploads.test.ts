import test from 'ava';
import { SharedContents } from '../../../firmware/index.js';
import { openMongoStore } from '../../../store/index.js';
import { mongodbUrl, testDatabase } from '../../support/mongodb.js';
import { uploadsConform } from './uploads-conformance.js';

const url = mongodbUrl();
if (url !== null) {
  uploadsConform(test, async (t) => {
    const database = testDatabase(t, url);
    const store = await openMongoStore({ url, database, timeoutMs: 60_000 });
    t.teardown(() => store.close());
    return { store, contents: new SharedContents(store.files), child: [url, database] };
  });
}
