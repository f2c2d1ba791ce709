import type { Exchange } from './exchange.js';
import { readRecording, recordings, writeRecording } from './recordings.js';
import { openSubject } from './subject.js';

// What `npm run record:nbi` runs: the answers that stand in test/fixtures/nbi-recorded/ become those that are given now. A new
// request is written there by hand, without an answer.
const subject = await openSubject();
try {
  for (const name of await recordings()) {
    const recorded: Exchange[] = [];
    for (const exchange of await readRecording(name)) {
      recorded.push({ ...exchange, answer: await subject.answer(name, exchange) });
    }
    await writeRecording(name, recorded);
  }
} finally {
  await subject.close();
}
