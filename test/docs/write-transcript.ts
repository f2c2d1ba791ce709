import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GUIDE, transcript, withTranscript } from './transcript.js';

// What `npm run docs:transcript` runs: a change of what the commands print changes the guide.
const directory = await mkdtemp(join(tmpdir(), 'ferry-transcript-'));
try {
  const guide = await readFile(GUIDE, 'utf8');
  await writeFile(GUIDE, withTranscript(guide, await transcript(directory)));
} finally {
  await rm(directory, { recursive: true, force: true });
}
