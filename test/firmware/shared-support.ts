import { MongoClient } from 'mongodb';
import { DAY_MS, silentLogger } from '../../common/index.js';
import { openImageLibrary, SharedContents } from '../../firmware/index.js';
import { openMongoStore } from '../../store/index.js';
import { testDatabase } from '../support/mongodb.js';
import { haveOrganizations } from '../support/organizations-there.js';
import { type LibraryOpener, NORTH, opened, SOUTH } from './support.js';

/** An image library in GridFS, in a database of its own, which goes with the test. */
export function sharedLibraryOpener(url: string): LibraryOpener {
  return async (t, options = {}) => {
    const database = testDatabase(t, url);
    const store = await openMongoStore({ url, database, timeoutMs: 60_000 });
    await haveOrganizations(store, NORTH, SOUTH);
    const client = new MongoClient(url);
    t.teardown(() => Promise.all([store.close(), client.close()]));
    const files = client.db(database).collection('ferry.files.files');
    const chunks = client.db(database).collection('ferry.files.chunks');
    const contents = new SharedContents(store.files);
    const names = async (entries: AsyncIterable<{ readonly name: string }>) => {
      const found: string[] = [];
      for await (const { name } of entries) found.push(name.slice(name.indexOf('/') + 1));
      return found;
    };
    return {
      ...opened(store, contents, options),
      files: async () => ({
        incoming: await names(contents.listIncoming()),
        content: await names(contents.list()),
      }),
      settle: () =>
        openImageLibrary({
          contents,
          store,
          limits: { imageBytesMax: 1 },
          clock: () => Date.now() + DAY_MS,
          logger: silentLogger,
        }).cleanUp(),
      async lose(image) {
        await files.deleteOne({ filename: `content/${image.contentFile}` });
      },
      async cutShort(image) {
        const file = await files.findOne({ filename: `content/${image.contentFile}` });
        const { deletedCount } = await chunks.deleteOne({ files_id: file?._id });
        t.is(deletedCount, 1);
      },
    };
  };
}
