import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Exchange, parseExchanges, renderExchanges } from './exchange.js';

const FOLDER = fileURLToPath(new URL('../../../../test/fixtures/nbi-recorded/', import.meta.url));

/** The recorded files by name, in the order in which their requests are sent. */
export async function recordings(): Promise<readonly string[]> {
  const names = await readdir(FOLDER);
  return names.filter((name) => name.endsWith('.http')).sort();
}

export async function readRecording(name: string): Promise<readonly Exchange[]> {
  return parseExchanges(await readFile(FOLDER + name, 'utf8'));
}

export async function writeRecording(name: string, exchanges: readonly Exchange[]): Promise<void> {
  await writeFile(FOLDER + name, renderExchanges(exchanges));
}
