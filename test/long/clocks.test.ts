import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../acs/index.js';
import { type CpeId, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../common/index.js';
import {
  createCpe,
  IMAGE_NAME,
  introduce,
  outcomes,
  postRule,
  startListener,
  uploadImage,
} from '../e2e/simulated.js';
import { FakeClock, faketimeLibrary } from '../support/fake-clock.js';
import { nbiClient, until } from '../support/ferry.js';
import { FerryProcess, freePorts } from '../support/ferry-process.js';
import { cpeidOf, deviceOf, openTestInstallation, upgradeOf } from '../support/installation.js';
import { inform, RawCpe, rpcOf } from '../support/raw-cpe.js';

const library = faketimeLibrary();

/** Far more than is needed; a server that goes through every missed five seconds of sixty days takes longer. */
const ANSWER_MS_MAX = 30 * SECOND_MS;
const SESSIONS = 10;

async function startServer(t: ExecutionContext, library: string, atMs: number, environment = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-clocks-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const rulesDir = join(dataDir, 'rules');
  const clock = await FakeClock.open(t, library, atMs);
  const ports = await freePorts();
  const lines: string[] = [];
  const url = `http://127.0.0.1:${ports.nbi}`;
  const nbi = nbiClient(url);
  let files = 0;
  const deploy = async (): Promise<void> => {
    files += 1;
    const rule = {
      id: 'FROM_FILE',
      description: `edition ${files}`,
      file: 'none.bin',
      condition: { tags: 'none' },
    };
    await writeFile(`${rulesDir}/a.new`, JSON.stringify(rule));
    await rename(`${rulesDir}/a.new`, `${rulesDir}/a.json`);
    await until('the rule file is applied', async () => {
      const { body } = await nbi('GET', '/v1/dyn/FirmwareStorage/FROM_FILE');
      return JSON.stringify(body).includes(`edition ${files}`);
    });
  };
  await mkdir(rulesDir);
  const server = await FerryProcess.start(
    dataDir,
    ports,
    [`--rules-dir=${rulesDir}`, '--share-sessions', '--session-idle-seconds=30'],
    (line) => lines.push(line),
    { ...clock.environment, ...environment },
  );
  t.teardown(async () => {
    if (!t.passed) t.log(server.log);
    await server.stop();
  });
  return { dataDir, clock, nbi, url, cwmp: `http://127.0.0.1:${ports.cwmp}/`, lines, deploy, server };
}

type Server = Awaited<ReturnType<typeof startServer>>;

/** What must go on whatever the clock was set to. */
async function requireAllGoesOn(t: ExecutionContext, at: Server, round: number): Promise<void> {
  const alive = await fetch(`${at.url}/livez`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  t.is(alive.status, 200, 'the event loop turns');
  const answers: string[] = [];
  for (let serial = 0; serial < SESSIONS; serial++) {
    const cpe = new RawCpe(at.cwmp);
    answers.push(rpcOf((await cpe.post(inform({ serial: String(1_000 + serial) }))).body));
    cpe.close();
  }
  t.deepEqual(
    answers,
    Array.from({ length: SESSIONS }, () => 'InformResponse'),
  );
  await at.deploy();
  await requireDeadlineIsNoticed(t, at, round);
  let told: Readonly<Record<string, string>> = {};
  const isWell = async () => {
    const { status, body } = await at.nbi('GET', '/healthz');
    const { disk, ...others } = (body as { parts: Record<string, string> }).parts;
    told = { ...others, disk: disk ?? 'not looked at yet' };
    return status === 200 && disk !== undefined && Object.values(others).every((part) => part === 'ok');
  };
  await until('every part is well', isWell).catch((error: unknown) =>
    t.fail(`${error}: ${JSON.stringify(told)}`),
  );
}

/** Put into its store by another process, as one that has run out by the clock as it is now. */
async function requireDeadlineIsNoticed(
  t: ExecutionContext,
  { dataDir, clock, nbi }: Server,
  round: number,
): Promise<void> {
  const beside = await openTestInstallation(dataDir);
  const cpeid: CpeId = cpeidOf(round);
  const upgrade: Upgrade = {
    ...upgradeOf(cpeid, 10 * round),
    startedAtMs: clock.nowMs() - HOUR_MS,
    updatedAtMs: clock.nowMs() - HOUR_MS,
    // The sweep may mend what a step has just passed over.
    deadlineAtMs: clock.nowMs() - 10 * MINUTE_MS,
  };
  await beside.store.collection<Device>(DEVICES).put(deviceOf(cpeid, upgrade));
  await beside.store.collection<Upgrade>(UPGRADES).put(upgrade);
  await beside.close();
  await until('its deadline is noticed', async () => {
    const [outcome] = await outcomes(nbi, cpeid);
    return outcome?.startsWith('408');
  });
  t.pass();
}

/** In cron's five fields, in UTC. */
function cronAt(ms: number): string {
  const date = new Date(ms);
  return `${date.getUTCMinutes()} ${date.getUTCHours()} ${date.getUTCDate()} ${date.getUTCMonth() + 1} *`;
}

if (library !== null) {
  test.serial(
    'a clock that is set by sixty days, forward and back, stops nothing and makes nothing catch up',
    async (t) => {
      t.timeout(10 * MINUTE_MS);
      const startMs = Date.now();
      const at = await startServer(t, library, startMs);
      await uploadImage(t, at.nbi);
      const cpe = createCpe(t, at.cwmp, '1', { listener: await startListener(t) });
      await introduce(at.nbi, cpe);
      // Its window opens by the time that it will be; until then nobody is called.
      const opensMs = startMs + 60 * DAY_MS;
      const window = { cron: cronAt(opensMs), timezone: 'UTC', durationMinutes: 240, wakePerSecond: 10 };
      await postRule(t, at.nbi, {
        id: 'IN_WINDOW',
        file: IMAGE_NAME,
        condition: { serialNumber: '1' },
        window,
        enabled: true,
      });
      await requireAllGoesOn(t, at, 1);
      t.deepEqual(await outcomes(at.nbi, '00A1B2-HGW-1'), []);

      for (const [round, toMs] of [
        [2, opensMs + 5 * MINUTE_MS],
        [3, startMs - 60 * DAY_MS],
      ] as const) {
        const inSession = new RawCpe(at.cwmp);
        t.is(rpcOf((await inSession.post(inform({ serial: '77' }))).body), 'InformResponse');
        await at.clock.set(toMs);
        const { status } = await inSession.post('');
        t.true(status === 200 || status === 204, `a session goes on: ${status}`);
        inSession.close();
        await requireAllGoesOn(t, at, round);
        await until('the window has woken its CPE', async () => {
          const [outcome] = await outcomes(at.nbi, '00A1B2-HGW-1');
          return outcome?.startsWith('200');
        });
      }
      t.is((await outcomes(at.nbi, '00A1B2-HGW-1')).length, 1);
    },
  );

  test.serial('a board whose clock begins in 1970 works before and after it gets the time', async (t) => {
    t.timeout(10 * MINUTE_MS);
    const at = await startServer(t, library, 10 * MINUTE_MS);
    await requireAllGoesOn(t, at, 1);
    const inSession = new RawCpe(at.cwmp);
    t.is(rpcOf((await inSession.post(inform({ serial: '77' }))).body), 'InformResponse');
    await at.clock.set(Date.now());
    const { status } = await inSession.post('');
    t.true(status === 200 || status === 204, `a session goes on: ${status}`);
    inSession.close();
    await requireAllGoesOn(t, at, 2);
  });

  test.serial('where clocks are changed a window opens once, with the process in such a zone', async (t) => {
    t.timeout(10 * MINUTE_MS);
    const changes = [
      // 02:30 comes twice: 00:30 and 01:30 UTC.
      ['AUTUMN', Date.UTC(2026, 9, 25, 0, 30, 0)],
      // 02:30 is skipped: its window opens at the moment of the change, 03:00 there.
      ['SPRING', Date.UTC(2027, 2, 28, 1, 0, 0)],
    ] as const;
    const at = await startServer(t, library, changes[0][1] - 20 * MINUTE_MS, { TZ: 'Europe/Berlin' });
    const told = (event: string, id: string) =>
      at.lines.filter((line) => line.includes(event) && line.includes(id)).length;
    const rule = (id: string, cron: string) => ({
      id,
      file: IMAGE_NAME,
      condition: { tags: 'nobody' },
      window: { timezone: 'Europe/Berlin', durationMinutes: 10, wakePerSecond: 1, cron },
      enabled: true,
    });
    await uploadImage(t, at.nbi);
    for (const [round, [change, timeMs]] of changes.entries()) {
      const [nightly, always] = [`NIGHTLY_${change}`, `ALWAYS_${change}`];
      await at.clock.set(timeMs - 20 * MINUTE_MS);
      await postRule(t, at.nbi, rule(nightly, '30 2 * * *'));
      await requireAllGoesOn(t, at, round + 1);
      t.is(told('wake.begun', nightly), 0);
      await at.clock.set(timeMs + 3 * SECOND_MS);
      await until('it opens', () => told('wake.begun', nightly) === 1);
      await at.clock.set(timeMs + HOUR_MS + 3 * SECOND_MS);
      await until('it has closed', () => told('wake.ended', nightly) === 1);
      // Whatever opens now is seen in the same tick.
      await postRule(t, at.nbi, rule(always, '* * * * *'));
      await until('another opens', () => told('wake.begun', always) === 1);
      t.is(told('wake.begun', nightly), 1, 'not a second time');
    }
    await requireAllGoesOn(t, at, changes.length + 1);
  });
}
