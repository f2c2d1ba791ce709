import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

const LIBRARIES = '/usr/lib';

/**
 * The library that shows a process another time than it is; null where it is not installed, after registering a test that says so (and
 * fails with `FERRY_REQUIRE_FAKETIME=1`).
 */
export function faketimeLibrary(): string | null {
  const places = existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : [];
  const found = places
    .map((place) => join(LIBRARIES, place, 'faketime', 'libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  test('tests of clocks that are set are skipped: libfaketime is not installed here', (t) => {
    t.log('Install libfaketime (Debian) to run them.');
    t.not(
      process.env['FERRY_REQUIRE_FAKETIME'],
      '1',
      'libfaketime is not installed, and FERRY_REQUIRE_FAKETIME=1 asks for it',
    );
  });
  return null;
}

/** A wall's clock that a test sets while a process runs by it. What elapses there goes on as it does here. */
export class FakeClock {
  readonly #file: string;
  readonly #library: string;
  #offsetMs = 0;

  private constructor(library: string, file: string) {
    this.#library = library;
    this.#file = file;
  }

  static async open(t: ExecutionContext, library: string, atMs: number): Promise<FakeClock> {
    const directory = await mkdtemp(join(tmpdir(), 'ferry-clock-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const clock = new FakeClock(library, join(directory, 'time'));
    await clock.set(atMs);
    return clock;
  }

  /** What a process that goes by it is started with. */
  get environment(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** From now on it is so late. */
  async set(atMs: number): Promise<void> {
    const seconds = Math.round((atMs - Date.now()) / 1_000);
    this.#offsetMs = seconds * 1_000;
    // In one go: it is read at any moment.
    await writeFile(`${this.#file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    await rename(`${this.#file}.new`, this.#file);
  }
}
