import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);

export const HTTP_CLIENTS = ['curl', 'wget', 'python3'] as const;
export type HttpClient = (typeof HTTP_CLIENTS)[number];

/**
 * Whether a client is installed; where it is not, after registering a test that says so (and fails with
 * `FERRY_REQUIRE_HTTP_CLIENTS=1`).
 */
export function hasHttpClient(name: HttpClient): boolean {
  const places = (process.env['PATH'] ?? '').split(delimiter);
  if (places.some((place) => isProgram(join(place, name)))) return true;
  test(`tests with ${name} are skipped: it is not installed here`, (t) => {
    t.log(`Install ${name} to run them.`);
    t.not(
      process.env['FERRY_REQUIRE_HTTP_CLIENTS'],
      '1',
      `${name} is not installed, and FERRY_REQUIRE_HTTP_CLIENTS=1 asks for it`,
    );
  });
  return false;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a client. @returns what it wrote; @throws Error where it ends with another status than 0 */
export async function runHttpClient(name: HttpClient, args: readonly string[]): Promise<Buffer> {
  // Whatever proxies this machine is behind, the loopback address is not.
  const env = { ...process.env, no_proxy: '*', NO_PROXY: '*' };
  const { stdout } = await run(name, [...args], {
    encoding: 'buffer',
    env,
    maxBuffer: 16 * 1024 * 1024,
    timeout: 60_000,
  });
  return stdout;
}

/** Python's standard library, answering Digest only: `URL USER PASSWORD [FILE]` POSTs the file, or GETs. */
export const PYTHON_DIGEST = `
import sys, urllib.request
url, user, password = sys.argv[1:4]
passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
passwords.add_password(None, url, user, password)
opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
data = open(sys.argv[4], 'rb').read() if len(sys.argv) > 4 else None
headers = {'Content-Type': 'text/xml; charset=utf-8'} if data else {}
sys.stdout.buffer.write(opener.open(urllib.request.Request(url, data, headers), timeout=60).read())
`;
