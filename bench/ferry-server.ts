import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { CpeCredentials } from '../acs/index.js';
import { loopbackConfig } from '../cli/config.js';
import { startFerry } from '../cli/server.js';
import { type CpeId, createLogger, systemClock } from '../common/index.js';
import { byCommand } from '../events/index.js';
import { BENCH_PASSWORD } from './drive.js';
import { ownLogin, SHARED_LOGIN } from './logins.js';
import { cpeidOf } from './rule-bodies.js';

/**
 * Ferry as it is served, in a process of its own, with its log in JSON as a service has it; on the data directory given, or a new
 * one. With `--share-sessions` it is one of several, and with `--store=URL` on that database, at
 * the group-commit window `--group-commit-ms=N`. With `--logins` CPEs must log in.
 */
const words = process.argv.slice(2);
const shareSessions = words.includes('--share-sessions');
const STORE_WORD = '--store=';
const store = words.find((word) => word.startsWith(STORE_WORD))?.slice(STORE_WORD.length) ?? '';
const WINDOW_WORD = '--group-commit-ms=';
const window = words.find((word) => word.startsWith(WINDOW_WORD))?.slice(WINDOW_WORD.length) ?? '2';
const given = words.find((word) => !word.startsWith('--'));
const dataDir = given ?? (await mkdtemp(join(tmpdir(), 'ferry-bench-')));
const config = loopbackConfig(dataDir, {
  adminPassword: BENCH_PASSWORD,
  shareSessions,
  store,
  groupCommitMs: Number(window),
  ...(words.includes('--logins') && {
    allowAnonymousCpe: false,
    cpeAuth: `${SHARED_LOGIN.username}:${SHARED_LOGIN.password}`,
  }),
});
const ferry = await startFerry(config, {
  clock: systemClock,
  logger: createLogger({ level: 'error', format: 'json' }),
});
await ferry.installation.images.upload({
  metadata: { name: 'bench.bin', softwareVersion: '2.0.0' },
  content: Readable.from([Buffer.from('bench')]),
  by: byCommand('bench'),
  uploadedBy: 'bench',
});

interface Message {
  readonly rule?: unknown;
  /** CPEs that are given credentials of their own. */
  readonly owners?: { readonly from: number; readonly until: number };
}

process.on('message', async (message: Message) => {
  if (message.owners !== undefined) {
    const { from, until } = message.owners;
    const { store, secrets } = ferry.installation;
    const credentials = new CpeCredentials({ store, secrets, clock: systemClock });
    const owners = Array.from({ length: until - from }, (_, at) => from + at);
    await credentials.put(
      owners.map((cpe) => ({ cpeid: cpeidOf(cpe) as CpeId, ...ownLogin(cpe) })),
      null,
    );
    process.send?.({ done: true });
  } else if (message.rule !== undefined) {
    await ferry.rules.put([message.rule], { by: byCommand('bench'), onlyNew: false });
    process.send?.({ done: true });
  } else {
    process.send?.({ cpu: process.cpuUsage() });
  }
});
process.on('disconnect', async () => {
  await ferry.close();
  if (given === undefined) await rm(dataDir, { recursive: true, force: true });
  process.exit(0);
});
process.send?.({
  port: Number(new URL(ferry.urls.cwmp).port),
  nbiPort: Number(new URL(ferry.urls.nbi).port),
});
