import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, systemClock } from '../../common/index.js';
import { makeImage } from '../../cpe-sim/index.js';
import { CommandError, type EndSignal, exitCodeOf } from '../command.js';
import { loopbackConfig } from '../config.js';
import { columnsOf, durationText, type Io, tableText } from '../io.js';
import { progressBar } from '../progress.js';
import { type Ferry, startFerry } from '../server.js';
import { type Device, NbiClient, type Result } from './nbi-client.js';
import { startFleet } from './simulator-process.js';

const OLD_VERSION = '1.0.0';
const NEW_VERSION = '2.0.0';
const IMAGE_NAME = 'hgw-2.0.0.bin';
const IMAGE_BYTES = 256 * 1024;
const PRODUCT_CLASS = 'HGW';
const ADMIN_PASSWORD = 'demo password';
const STEP_MS_MAX = 45_000;
const POLL_MS = 100;
const CONNECTION_REQUESTS_AT_A_TIME = 8;

export interface DemoOptions {
  readonly count: number;
  readonly json: boolean;
  /** Leave everything running afterwards, for whoever wants to look around. */
  readonly keepRunning: boolean;
  /** Resolves when it is to end, done or not. */
  readonly ended: Promise<EndSignal>;
}

/** What should become of a CPE. */
interface Expectation {
  readonly fault: string | null;
  readonly version: string;
  readonly code: number;
  readonly message: string;
}

const WELL: Expectation = {
  fault: null,
  version: NEW_VERSION,
  code: 200,
  message: `Upgrade has succeeded: software version ${NEW_VERSION}, before ${OLD_VERSION}`,
};
const FILE_NOT_FOUND: Expectation = {
  fault: 'transfer:9010',
  version: OLD_VERSION,
  code: 500,
  message: 'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
};
const COMES_BACK_OLD: Expectation = {
  fault: 'old-version',
  version: OLD_VERSION,
  code: 500,
  message: `Upgrade has failed: the device reports software version ${OLD_VERSION} instead of ${NEW_VERSION}`,
};

/** CPE numbers count from 1; a third and two thirds of the way down one fails, each in its own way. */
function expectations(count: number): Expectation[] {
  const all = new Array<Expectation>(count).fill(WELL);
  all[Math.floor(count / 3)] = FILE_NOT_FOUND;
  all[Math.floor((2 * count) / 3)] = COMES_BACK_OLD;
  return all;
}

/**
 * One upgrade of a small fleet, all of it real: a server on its embedded store, CPEs in a process of their own, the northbound
 * interface over HTTP, in the order of its document.
 * @returns whether every CPE and every result came out as it should
 * @throws CommandError where it could not be brought to its end
 */
export async function runDemo(io: Io, options: DemoOptions): Promise<boolean> {
  const startedMs = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-demo-'));
  const say = (line: string) => io.stderr.write(`${line}\n`);
  const ferry = await startServer(dataDir);
  const expected = expectations(options.count);
  const fleet = startFleet({
    acs: ferry.urls.cwmp,
    count: options.count,
    productClass: PRODUCT_CLASS,
    softwareVersion: OLD_VERSION,
    faults: expected.flatMap(({ fault }, index) => (fault === null ? [] : faultsFor(index + 1, fault))),
  });
  try {
    say(`Ferry is running: CWMP ${ferry.urls.cwmp}, northbound ${ferry.urls.nbi}, files ${ferry.urls.files}`);
    say(`${options.count} simulated CPEs are running as process ${fleet.pid}`);
    const nbi = new NbiClient(ferry.urls.nbi, { name: 'admin', password: ADMIN_PASSWORD });
    const interrupted = options.ended.then((signal): never => {
      throw new CommandError(`ended by ${signal}`, exitCodeOf(signal));
    });
    const demo = new Demo(io, nbi, options.count, Promise.race([fleet.failed, interrupted]));
    const cpeids = await demo.firstContact();
    await demo.upload();
    await demo.postRules(cpeids);
    await demo.sendConnectionRequests(cpeids);
    const results = await demo.results(cpeids);
    const devices = new Map((await nbi.devices()).map((device) => [device.cpeid, device]));
    const rows = cpeids.map((cpeid, index) =>
      verdict(cpeid, expected[index] ?? WELL, devices.get(cpeid), results.get(cpeid) ?? []),
    );
    report(io, rows, results, options.json);
    const right = rows.filter(({ isRight }) => isRight).length;
    say(`${right} of ${rows.length} as expected, in ${durationText(performance.now() - startedMs)}.`);
    if (options.keepRunning) {
      say(
        `Still running: try  curl -u 'admin:${ADMIN_PASSWORD}' '${ferry.urls.nbi}/v1/dyn/DeviceStorage/.*'  (Ctrl-C ends)`,
      );
      await Promise.race([options.ended, fleet.failed]);
    }
    return right === rows.length;
  } finally {
    await fleet.stop();
    await ferry.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function startServer(dataDir: string): Promise<Ferry> {
  const config = loopbackConfig(dataDir, { adminPassword: ADMIN_PASSWORD });
  // Two of the CPEs are meant to fail: what the server warns of is in the table.
  return startFerry(config, { clock: systemClock, logger: createLogger({ level: 'error', format: 'text' }) });
}

/** A CPE that comes back old says first that all went well, as such a CPE does: its next boot is what gives it away. */
function faultsFor(number: number, fault: string): string[] {
  return fault === 'old-version'
    ? [`${number}=early-complete`, `${number}=${fault}`]
    : [`${number}=${fault}`];
}

/** The steps, each with a bar. */
class Demo {
  readonly #io: Io;
  readonly #nbi: NbiClient;
  readonly #count: number;
  /** Rejects when there is no use in going on. */
  readonly #broken: Promise<never>;

  constructor(io: Io, nbi: NbiClient, count: number, broken: Promise<never>) {
    this.#io = io;
    this.#nbi = nbi;
    this.#count = count;
    this.#broken = broken;
    // Between two steps nobody waits for it.
    broken.catch(() => {});
  }

  async firstContact(): Promise<string[]> {
    const devices = await this.#watch('CPEs registered', () => this.#nbi.devices(), isProvisioned);
    return devices.map(({ cpeid }) => cpeid).sort();
  }

  async upload(): Promise<void> {
    const image = makeImage({
      softwareVersion: NEW_VERSION,
      productClass: PRODUCT_CLASS,
      sizeBytes: IMAGE_BYTES,
    });
    const bar = progressBar(this.#io, { title: 'Image uploaded', total: image.length, unit: 'bytes' });
    await this.#nbi.upload(IMAGE_NAME, image, { softwareVersion: NEW_VERSION, productClass: PRODUCT_CLASS });
    bar.at(image.length);
    bar.stop();
  }

  async postRules(cpeids: readonly string[]): Promise<void> {
    await this.#each('Rules posted', cpeids, 1, (cpeid) =>
      this.#nbi.postRule({
        id: ruleIdOf(cpeid),
        enabled: true,
        automatic: true,
        file: IMAGE_NAME,
        condition: { cpeid },
        executions: 1,
        priority: 1,
        author: 'api',
      }),
    );
  }

  async sendConnectionRequests(cpeids: readonly string[]): Promise<void> {
    await this.#each('Connection requests', cpeids, CONNECTION_REQUESTS_AT_A_TIME, (cpeid) =>
      this.#nbi.sendCnr(cpeid),
    );
  }

  async results(cpeids: readonly string[]): Promise<Map<string, Result[]>> {
    const read = async () =>
      (await Promise.all(cpeids.map((cpeid) => this.#nbi.results(ruleIdOf(cpeid))))).flat();
    const all = await this.#watch('Upgrades ended', read, ({ status }) => status);
    const byCpe = new Map<string, Result[]>();
    for (const result of all) byCpe.set(result.cpeid, [...(byCpe.get(result.cpeid) ?? []), result]);
    return byCpe;
  }

  async #each(
    title: string,
    cpeids: readonly string[],
    atATime: number,
    act: (cpeid: string) => Promise<void>,
  ): Promise<void> {
    const bar = progressBar(this.#io, { title, total: cpeids.length, unit: 'items' });
    const waiting = [...cpeids];
    const worker = async () => {
      for (let cpeid = waiting.shift(); cpeid !== undefined; cpeid = waiting.shift()) {
        await Promise.race([act(cpeid), this.#broken]);
        bar.add(1);
      }
    };
    try {
      await Promise.all(Array.from({ length: atATime }, worker));
    } finally {
      bar.stop();
    }
  }

  /** Looks again and again until as many as there are CPEs are done. */
  async #watch<T>(title: string, read: () => Promise<T[]>, isDone: (item: T) => boolean): Promise<T[]> {
    const bar = progressBar(this.#io, { title, total: this.#count, unit: 'items' });
    const deadlineMs = performance.now() + STEP_MS_MAX;
    try {
      for (;;) {
        const items = await Promise.race([read(), this.#broken]);
        const done = items.filter(isDone).length;
        bar.at(done);
        if (done >= this.#count) return items;
        if (performance.now() > deadlineMs) {
          throw new CommandError(
            `${title}: only ${done} of ${this.#count} within ${durationText(STEP_MS_MAX)}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    } finally {
      bar.stop();
    }
  }
}

function isProvisioned({ provisioning }: Device): boolean {
  return provisioning === 'done';
}

function ruleIdOf(cpeid: string): string {
  return `UPGRADE_${cpeid}`;
}

interface Row {
  readonly cpeid: string;
  readonly version: string;
  readonly code: string;
  readonly message: string;
  readonly isRight: boolean;
}

function verdict(
  cpeid: string,
  expected: Expectation,
  device: Device | undefined,
  results: readonly Result[],
): Row {
  const [result] = results;
  const version = device?.softwareVersion ?? 'unknown';
  return {
    cpeid,
    version,
    code: String(result?.result.code ?? ''),
    message: result?.result.message ?? 'no result',
    isRight:
      results.length === 1 &&
      result?.status === true &&
      version === expected.version &&
      result.result.code === expected.code &&
      result.result.message === expected.message,
  };
}

function report(
  io: Io,
  rows: readonly Row[],
  results: ReadonlyMap<string, readonly Result[]>,
  json: boolean,
): void {
  if (json) {
    io.stdout.write(`${JSON.stringify([...results.values()].flat(), null, 2)}\n`);
    return;
  }
  const head = ['CPE', 'Version', 'Code', 'Message', 'As expected'];
  const cells = rows.map((row) => [
    row.cpeid,
    row.version,
    row.code,
    row.message,
    row.isRight ? 'yes' : 'NO',
  ]);
  io.stdout.write(`${tableText(head, cells, columnsOf(io.stdout))}\n`);
}
