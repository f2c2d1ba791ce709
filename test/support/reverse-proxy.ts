import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { until } from './ferry.js';
import type { Ports } from './ferry-process.js';
import { isProgram } from './is-program.js';

const DEPLOY = fileURLToPath(new URL('../../../deploy/', import.meta.url));
/** Where the programs of a system are that not everybody has on the path. */
const SYSTEM_PATHS = ['/usr/sbin', '/usr/local/sbin'];

/** The address of the proxy, and of node `n` behind it: all have the same ports, as machines of their own would. */
const PROXY_HOST = '127.0.0.1';
export const nodeHost = (node: number): string => `127.0.0.${node + 10}`;

export const PROXIES = ['nginx', 'haproxy'] as const;
export type ProxyName = (typeof PROXIES)[number];

/**
 * Where a proxy is installed; null where it is not, after registering a test that says so (and fails with
 * `FERRY_REQUIRE_PROXIES=1`).
 */
export function proxyProgram(name: ProxyName): string | null {
  // Only there every address of 127.0.0.0/8 is this machine's.
  const places = platform() === 'linux' ? [...(process.env['PATH'] ?? '').split(':'), ...SYSTEM_PATHS] : [];
  const program = places.map((place) => join(place, name)).find(isProgram);
  if (program !== undefined) return program;
  test(`tests behind ${name} are skipped: it is not installed here`, (t) => {
    t.log(`Install ${name}, on Linux, to run them.`);
    t.not(
      process.env['FERRY_REQUIRE_PROXIES'],
      '1',
      `${name} is not installed, and FERRY_REQUIRE_PROXIES=1 asks for it`,
    );
  });
  return null;
}

/** Starts the proxy that `program` is, with what deploy/ has for it, in front of nodes at {@link nodeHost} and `ports`. */
export async function startReverseProxy(
  t: ExecutionContext,
  name: ProxyName,
  program: string,
  ports: Ports,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), `ferry-${name}-`));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  // Workers of nginx are another user where it was started by root.
  await chmod(directory, 0o755);
  const file = join(directory, 'proxy.conf');
  const args = await ARGUMENTS[name](directory, file, ports);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000);
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await exited;
    if (!t.passed) t.log(said);
  });
  await until(`${name} takes connections`, async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    return (await Promise.all([ports.cwmp, ports.nbi, ports.files].map(isOpen))).every(Boolean);
  });
}

type Arguments = (directory: string, file: string, ports: Ports) => Promise<string[]>;

const ARGUMENTS: Readonly<Record<ProxyName, Arguments>> = {
  async nginx(directory, file, ports) {
    const text = adapted(await readFile(`${DEPLOY}nginx.conf`, 'utf8'), ports)
      .replace(/\blisten (\d+)/g, `listen ${PROXY_HOST}:$1`)
      .replace(/^http \{$/m, ['http {', ...TEMPORARY_PATHS.map((path) => `  ${path} ${path};`)].join('\n'));
    await writeFile(file, text);
    return ['-p', directory, '-c', file, '-e', 'stderr', '-g', 'daemon off; pid nginx.pid;'];
  },
  async haproxy(_directory, file, ports) {
    const text = adapted(await readFile(`${DEPLOY}haproxy.cfg`, 'utf8'), ports);
    await writeFile(file, text.replace(/\bbind [\d.]*:/g, `bind ${PROXY_HOST}:`));
    return ['-db', '-f', file];
  },
};

const TEMPORARY_PATHS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
  (what) => `${what}_temp_path`,
);

/** The configuration for other ports, and for nodes that no name server knows. */
function adapted(text: string, { cwmp, nbi, files }: Ports): string {
  const port: Readonly<Record<string, number>> = { 7547: cwmp, 7557: nbi, 7567: files };
  return text
    .replace(/\b(7547|7557|7567)\b/g, (given) => `${port[given]}`)
    .replace(/\bferry(\d):/g, (_, node) => `${nodeHost(Number(node))}:`);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, PROXY_HOST);
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
