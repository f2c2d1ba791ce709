import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ADMIN, nbiClient, until } from '../support/ferry.js';
import { freePorts } from '../support/ferry-process.js';
import { inform, RawCpe } from '../support/raw-cpe.js';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
/** node itself has some hundred files open at a time when it starts. */
const DESCRIPTORS = 256;
/** On each listener: more than there are descriptors for, and together few enough for this process where it may have 1,024. */
const CROWD = Math.ceil(1.2 * DESCRIPTORS);
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'with few descriptors a crowd on each listener keeps out neither CPEs of other addresses, nor downloads, nor the brake',
  async (t) => {
    t.timeout(120_000);
    const dataDir = await mkdtemp(join(tmpdir(), 'ferry-test-'));
    const ports = await freePorts();
    const options = [
      `--data-dir=${dataDir}`,
      `--cwmp-listen=127.0.0.1:${ports.cwmp}`,
      `--nbi-listen=127.0.0.1:${ports.nbi}`,
      `--file-listen=127.0.0.1:${ports.files}`,
      '--allow-anonymous-cpe',
    ];
    const command = `ulimit -n ${DESCRIPTORS} && exec "$@"`;
    const child = spawn('sh', ['-c', command, 'sh', process.execPath, MAIN, 'serve', ...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, FERRY_ADMIN_PASSWORD: ADMIN.password },
    });
    const ended = once(child, 'exit');
    t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    });
    const tooSoon = ended.then(() => {
      throw new Error('ferry serve ended before it listened');
    });
    await Promise.race([once(child.stdout, 'data'), tooSoon]);
    tooSoon.catch(() => {});
    const crowd: net.Socket[] = [];
    t.teardown(() => {
      for (const socket of crowd) socket.destroy();
    });
    for (const port of [ports.nbi, ports.cwmp, ports.files]) {
      for (let n = 0; n < CROWD; n++) {
        const socket = net
          .connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
          .on('error', () => {});
        crowd.push(socket);
        socket.write('POST /v1/method/FreezeUpgrades HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
      }
    }
    // All of it has been seen where the last ones are let in and answered.
    await until('the crowd is there', () => crowd.filter(({ connecting }) => connecting).length === 0);
    const informed = await until('a CPE is served', async () => {
      const cpe = new RawCpe(`http://127.0.0.1:${ports.cwmp}/`);
      t.teardown(() => cpe.close());
      return cpe.post(inform({ serial: 'one' })).catch(() => null);
    });
    t.is(informed.status, 200);
    const file = await until('files are served', () =>
      fetch(`http://127.0.0.1:${ports.files}/t/none/none.bin`).catch(() => null),
    );
    t.is(file.status, 403);
    const nbi = nbiClient(`http://127.0.0.1:${ports.nbi}`);
    const brake = await until('the brake answers', () =>
      nbi('POST', '/v1/method/FreezeUpgrades', { frozen: true, reason: 'test' }).catch(() => null),
    );
    t.is(brake.status, 200);
  },
);
