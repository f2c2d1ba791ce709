import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import test from 'ava';
import { ADMIN, startTestFerry, until } from '../support/ferry.js';
import { inform, RawCpe, rpcOf } from '../support/raw-cpe.js';

const run = promisify(execFile);
const MEBIBYTE = Buffer.alloc(1024 * 1024, 'f');

test('a full disk answers an upload with 507, keeps no half image, and the rest goes on', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-full-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', dataDir]);
  } catch (error) {
    await rm(dataDir, { recursive: true });
    if (process.env['CI'] === 'true') throw error;
    t.log('skipped: mounting a small file system needs privileges that this user lacks');
    t.pass();
    return;
  }
  t.teardown(async () => {
    // What the server has let go of may still be busy for a moment.
    await until('it can be unmounted', () => run('umount', [dataDir]).catch(() => null));
    await rm(dataDir, { recursive: true });
  });
  const ferry = await startTestFerry(t, { dataDir, config: { diskFreeMibMin: 1 } });
  t.like(await ferry.nbi('GET', '/healthz'), { status: 200, body: { parts: { disk: 'ok' } } });

  const announced = await ferry.nbi('PUT', '/v1/images/big.bin', Buffer.alloc(32 * 1024 * 1024, 'f'));
  t.is(announced.status, 507);
  // Without Content-Length nobody can know before the disk is full.
  const streamed = await fetch(`${ferry.urls.nbi}/v1/images/big.bin`, {
    method: 'PUT',
    headers: {
      Authorization: `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`,
      'Content-Type': 'application/octet-stream',
    },
    body: Readable.toWeb(Readable.from(Array.from({ length: 32 }, () => MEBIBYTE))),
    duplex: 'half',
  } as RequestInit);
  t.is(streamed.status, 507);
  t.is(((await streamed.json()) as { code: number }).code, 507);
  t.like(
    await ferry.nbi('GET', '/healthz'),
    { status: 200, body: { status: 'ok', parts: { disk: 'degraded', store: 'ok' } } },
    'someone should look at it, but known CPEs are served',
  );
  t.like(
    ferry.events.find(({ event }) => event === 'disk.writes-fail'),
    { fields: { place: 'images' } },
  );

  t.deepEqual(await readdir(join(dataDir, 'images', 'incoming')), []);
  t.deepEqual(await readdir(join(dataDir, 'images', 'content')), []);
  t.is((await ferry.nbi('GET', '/v1/images/big.bin')).status, 404);
  t.is((await ferry.nbi('PUT', '/v1/images/small.bin', MEBIBYTE)).status, 201);
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.is(rpcOf((await cpe.post(inform())).body), 'InformResponse');
  cpe.close();
});
