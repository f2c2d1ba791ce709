import { randomBytes } from 'node:crypto';
import { constants, setPriority } from 'node:os';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BENCH_PASSWORD } from './drive.js';
import { answerOf, asked, call } from './northbound.js';

/** A process that uploads images one after the other: what it costs to send them is not taken from whoever measures sessions. */
export interface UploadsAsked {
  readonly port: number;
  readonly count: number;
  readonly bytes: number;
}

// It stands for somebody else's machine: sessions must not wait for the processor that it takes here.
setPriority(constants.priority.PRIORITY_LOW);
const PIECE = randomBytes(1024 * 1024);
let uploads = 0;

/** Contents that nobody has yet, as those of releases are. */
function* contentOf(bytes: number): Generator<Buffer> {
  const head = Buffer.from(`${process.pid}-${uploads}`.padEnd(64));
  yield head;
  for (let left = bytes - head.length; left > 0; left -= PIECE.length)
    yield left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
}

async function upload({ port, bytes }: UploadsAsked): Promise<string> {
  uploads += 1;
  const path = `/v1/images/upload-${uploads}.bin`;
  const at = { port, user: 'admin', password: BENCH_PASSWORD };
  const request = asked(at, 'PUT', path, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': bytes,
  });
  const answered = answerOf(request);
  await pipeline(Readable.from(contentOf(bytes)), request);
  (await answered).resume();
  return path;
}

process.on('message', async (asked: UploadsAsked) => {
  const paths: string[] = [];
  const startedMs = performance.now();
  while (paths.length < asked.count) paths.push(await upload(asked));
  const seconds = (performance.now() - startedMs) / 1_000;
  const at = { port: asked.port, user: 'admin', password: BENCH_PASSWORD };
  // Not counted: what was uploaded is not to fill the disk.
  for (const path of paths) await call(at, 'DELETE', path);
  process.send?.({ bytesPerSecond: (asked.count * asked.bytes) / seconds });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: 0 });
