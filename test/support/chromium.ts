import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type BrowserContext, chromium } from 'playwright-core';
import { isProgram } from './is-program.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** It talks to nobody but to what the test serves. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Where Chromium is installed; null where it is not, after registering a test that says so (and fails with
 * `FERRY_REQUIRE_CHROMIUM=1`).
 */
export function chromiumProgram(): string | null {
  const places = (process.env['PATH'] ?? '').split(':');
  const found = NAMES.flatMap((name) => places.map((place) => join(place, name))).find(isProgram);
  if (found !== undefined) return found;
  test('tests in a browser are skipped: Chromium is not installed here', (t) => {
    t.log('Install chromium (Debian) to run them.');
    t.not(
      process.env['FERRY_REQUIRE_CHROMIUM'],
      '1',
      'Chromium is not installed, and FERRY_REQUIRE_CHROMIUM=1 asks for it',
    );
  });
  return null;
}

/** A browser of its own that has never been anywhere; it goes with the test. */
export async function startChromium(t: ExecutionContext, program: string): Promise<BrowserContext> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-chromium-'));
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const context = await chromium.launchPersistentContext(directory, {
    executablePath: program,
    headless: true,
    args: FLAGS,
    timeout: 100_000,
  });
  t.teardown(() => context.close());
  return context;
}
