import process from 'node:process';
import { tableText } from '../cli/io.js';
import { drive, type Measurement, ServerProcess } from './drive.js';
import { firstContact, periodicSession } from './sessions.js';
import { median } from './statistics.js';

export interface UploadOptions {
  readonly rounds: number;
  readonly cpes: number;
  readonly imageMib: number;
}

const MIB = 1024 * 1024;
const UPLOADS_IN_ROUND = 4;
/** Sessions begin one after the other, so that the server has time left: how long it takes to say so is what uploads may lengthen. */
const SESSIONS_AT_A_TIME = 1;
const SESSIONS_IN_ROUND = 2_000;
const RATIO_MIN = 0.7;
const P99_RATIO_MAX = 1.5;

/**
 * Uploads to a bare node:http server that flushes the same bytes, and to Ferry, in turn; then sessions alone, and beside uploads that
 * do not end before them: to the bare server, which tells what sharing the machine costs, and to Ferry. @returns the tables
 */
export async function compareUploads({ rounds, cpes, imageMib }: UploadOptions): Promise<string> {
  const bare = await ServerProcess.start('./bare-upload-server.js');
  const ferry = await ServerProcess.start('./ferry-server.js');
  const uploader = await ServerProcess.start('./uploader.js');
  const uploads = async (server: ServerProcess, count: number) => {
    const asked = { port: server.nbiPort, count, bytes: imageMib * MIB };
    return (await uploader.call<{ bytesPerSecond: number }>(asked)).bytesPerSecond / MIB;
  };
  const sessions = () =>
    drive(ferry, SESSIONS_IN_ROUND, SESSIONS_AT_A_TIME, (index) => periodicSession(ferry.port, index % cpes));
  await drive(ferry, cpes, SESSIONS_AT_A_TIME, (index) => firstContact(ferry.port, index));

  const speeds = { bare: [] as number[], ferry: [] as number[] };
  const latencies = {
    alone: [] as Measurement[],
    besideBare: [] as Measurement[],
    meanwhile: [] as Measurement[],
  };
  // Not counted: both servers reach their optimised code.
  await uploads(bare, 1);
  await uploads(ferry, 1);
  await sessions();
  for (let round = 0; round < rounds; round++) {
    speeds.bare.push(await uploads(bare, UPLOADS_IN_ROUND));
    speeds.ferry.push(await uploads(ferry, UPLOADS_IN_ROUND));
    latencies.alone.push(await sessions());
    latencies.besideBare.push(await besideUploads(() => uploads(bare, 1), sessions));
    latencies.meanwhile.push(await besideUploads(() => uploads(ferry, 1), sessions));
  }
  for (const server of [uploader, bare, ferry]) await server.stop();
  return `${speedTable(imageMib, speeds)}\n${latencyTable(latencies)}`;
}

/** Uploads without a pause for as long as the sessions take. */
async function besideUploads(
  upload: () => Promise<unknown>,
  sessions: () => Promise<Measurement>,
): Promise<Measurement> {
  let isOver = false;
  const uploading = (async () => {
    while (!isOver) await upload();
  })();
  const measured = await sessions();
  isOver = true;
  await uploading;
  return measured;
}

function speedTable(
  imageMib: number,
  { bare, ferry }: { readonly bare: readonly number[]; readonly ferry: readonly number[] },
): string {
  const ratio = median(ferry.map((speed, round) => speed / (bare[round] ?? Number.NaN)));
  return tableText(
    ['What', 'Server', 'MiB a second', 'ratio', 'budget'],
    [
      [`upload of ${imageMib} MiB`, 'bare node:http', median(bare).toFixed(0), '1', ''],
      ['', 'Ferry', median(ferry).toFixed(0), ratio.toFixed(2), `≥ ${RATIO_MIN}`],
    ],
    process.stdout.columns ?? 120,
  );
}

function latencyTable({
  alone,
  besideBare,
  meanwhile,
}: Readonly<Record<'alone' | 'besideBare' | 'meanwhile', readonly Measurement[]>>): string {
  const ratioOf = (beside: readonly Measurement[]) =>
    median(beside.map(({ p99Ms }, round) => p99Ms / (alone[round]?.p99Ms ?? Number.NaN))).toFixed(2);
  const cells = (what: string, all: readonly Measurement[]) => [
    what,
    median(all.map(({ p50Ms }) => p50Ms)).toFixed(1),
    median(all.map(({ p99Ms }) => p99Ms)).toFixed(1),
  ];
  return tableText(
    ['Periodic sessions', 'p50 ms', 'p99 ms', 'ratio of p99', 'budget'],
    [
      [...cells('alone', alone), '1', ''],
      [...cells('beside uploads to the bare server', besideBare), ratioOf(besideBare), ''],
      [...cells('beside uploads', meanwhile), ratioOf(meanwhile), `≤ ${P99_RATIO_MAX}`],
    ],
    process.stdout.columns ?? 120,
  );
}
