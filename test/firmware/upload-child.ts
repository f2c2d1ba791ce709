// Run as a process of its own by library-crash.test.ts, which kills it: uploads images one after another, and one that never ends.
import { Readable } from 'node:stream';
import { silentLogger, systemClock } from '../../common/index.js';
import { openDiskContents, openImageLibrary } from '../../firmware/index.js';
import { openLmdbStore } from '../../store/index.js';
import { MEBIBYTE, randomContent, uploadOf } from './support.js';

const [storeDirectory = '', directory = '', prefix = ''] = process.argv.slice(2);
const store = await openLmdbStore({ directory: storeDirectory });
const limits = { imageBytesMax: 64 * MEBIBYTE };
const library = openImageLibrary({
  contents: await openDiskContents(directory),
  store,
  limits,
  clock: systemClock,
  logger: silentLogger,
});

async function* endless(): AsyncGenerator<Buffer> {
  for (let index = 0; index < 4; index++) yield randomContent(MEBIBYTE);
  console.log('half');
  // The timer keeps the process, and with it the upload, alive until it is killed.
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
library.upload(uploadOf(`${prefix}-half`, Readable.from(endless()))).catch(() => {});

for (let index = 0; ; index++) {
  const { image } = await library.upload(uploadOf(`${prefix}-${index}`, randomContent(200_000)));
  console.log(`${image.id} ${image.sha256}`);
}
