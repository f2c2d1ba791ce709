import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { isProgram } from './is-program.js';

const RUN_MS_MAX = 120_000;

/**
 * The virtual environment of Python that the clients of `.ci/vendor-clients.txt` are in, which `VENDOR_CLIENTS` tells; null where it does not,
 * after registering a test that says so (and fails with `FERRY_REQUIRE_VENDOR_CLIENTS=1`).
 */
export function vendorClients(): string | null {
  const directory = process.env['VENDOR_CLIENTS'];
  if (directory !== undefined && isProgram(join(directory, 'bin', 'python'))) return directory;
  test('tests with clients of vendors are skipped: VENDOR_CLIENTS names no environment of Python', (t) => {
    t.log('pip install -r .ci/vendor-clients.txt into a virtual environment, and set VENDOR_CLIENTS to it.');
    t.not(
      process.env['FERRY_REQUIRE_VENDOR_CLIENTS'],
      '1',
      'VENDOR_CLIENTS names no environment of Python, and FERRY_REQUIRE_VENDOR_CLIENTS=1 asks for it',
    );
  });
  return null;
}

/**
 * Runs a program of Python there as it is, but that every name below a domain is this machine's, and that nobody sleeps for long.
 * @param as.home  where it keeps what it keeps
 * @param as.certificate  the file that TLS is verified by
 * @returns what it printed; @throws Error where it ends with another status than 0
 */
export async function runPython(
  environment: string,
  {
    domain,
    home,
    certificate,
    script,
    args,
  }: {
    readonly domain: string;
    readonly home: string;
    readonly certificate: string;
    readonly script: string;
    readonly args: readonly string[];
  },
): Promise<string> {
  const { stdout } = await promisify(execFile)(
    join(environment, 'bin', 'python'),
    ['-W', 'ignore', '-c', AS_IT_IS, domain, script, ...args],
    // Whatever proxies this machine is behind, the loopback address is not.
    {
      env: { ...process.env, HOME: home, no_proxy: '*', NO_PROXY: '*', REQUESTS_CA_BUNDLE: certificate },
      timeout: RUN_MS_MAX,
    },
  );
  return stdout;
}

/** `DOMAIN SCRIPT ARGUMENT…`: a script that is a file, or (with a line end) its text. */
const AS_IT_IS = `
import runpy, socket, sys, time
domain, script = sys.argv[1:3]
resolve, sleep = socket.getaddrinfo, time.sleep
def here(host, *more, **named):
    return resolve('127.0.0.1' if str(host).endswith('.' + domain) else host, *more, **named)
socket.getaddrinfo = here
time.sleep = lambda seconds: sleep(min(seconds, 0.1))
sys.argv = [script] + sys.argv[3:]
if '\\n' in script:
    exec(compile(script, '<script>', 'exec'), {'__name__': '__main__'})
else:
    runpy.run_path(script, run_name='__main__')
`;
