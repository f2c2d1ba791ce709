import { execFile } from 'node:child_process';
import { cp, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { connectionShares, descriptorLimit } from '../../cli/server/descriptors.js';
import { commandOf, neutralEnvironment, TreeServer } from '../builds/tree-server.js';
import { postRules } from '../bulk-client.js';
import { drive } from '../drive.js';
import { inform, serialOf } from '../envelopes.js';
import { call } from '../northbound.js';
import { RawConnection } from '../raw-client.js';
import { pinnedRule } from '../rule-bodies.js';
import { firstContact } from '../sessions.js';
import type { Attack, Credentials, Target } from './attack.js';
import { limitedTo, pinnedTo } from './helper.js';
import { LAST_RULE, writeRuleFiles } from './rule-directory.js';
import { IMAGE, IMAGE_BYTES, LARGE_CLASS, largeParameter, ROGUE } from './stage-names.js';

const PASSWORD = 'bench password';
export const VIEWER: Credentials = { user: 'viewer', password: PASSWORD };
const OPERATOR: Credentials = { user: 'operator', password: PASSWORD };
/** Who have not logged in before. */
export const NEWCOMERS: readonly Credentials[] = Array.from({ length: 6 }, (_, index) => ({
  user: `newcomer${index}`,
  password: `${PASSWORD} ${index}`,
}));

/** As the systemd unit has it, or what this machine allows. */
const DESCRIPTORS = 65_536;
/** What `ferry serve` takes where nobody says otherwise. */
const CONNECTIONS_BY_DEFAULT = {
  cwmpConnectionsMax: 50_000,
  nbiConnectionsMax: 1_000,
  fileConnectionsMax: 12_000,
};
const RULE_FILES_MS_MAX = 180_000;

export interface StageOptions {
  /** Of a build whose `dist/` is there. */
  readonly tree: string;
  /** Where everything is put that is written. */
  readonly directory: string;
  readonly cpes: number;
  readonly rules: number;
  /** Whether there are {@link NEWCOMERS}. */
  readonly hasNewcomers: boolean;
  /** Processors of the server, as `taskset` takes them. */
  readonly serverCpus: string;
  readonly signal: AbortSignal;
}

/** A data set on which one server after the other is started. */
export class Stage {
  readonly #options: StageOptions;
  readonly #dataDir: string;
  readonly #rulesDir: string;
  readonly #downloadPath: string;
  #hasRuleFiles = false;

  private constructor(options: StageOptions, dataDir: string, downloadPath: string) {
    this.#options = options;
    this.#dataDir = dataDir;
    this.#rulesDir = join(options.directory, 'rules.d');
    this.#downloadPath = downloadPath;
  }

  /** Fills a data directory by what any build can be told: HTTP, CWMP and the command line. */
  static async make(options: StageOptions): Promise<Stage> {
    const { tree, directory, signal } = options;
    const dataDir = await mkdtemp(join(directory, 'stage-'));
    const server = await TreeServer.start(tree, { directory, store: '', signal, dataDir });
    const downloadPath = await filled(server, options).finally(() => server.stop({ keepsData: true }));
    const users = [
      [VIEWER, 'viewer'],
      [OPERATOR, 'operator'],
      ...(options.hasNewcomers ? NEWCOMERS.map((newcomer) => [newcomer, 'viewer'] as const) : []),
    ] as const;
    for (const [user, role] of users) {
      signal.throwIfAborted();
      await addUser(tree, dataDir, user, role);
    }
    return new Stage(options, dataDir, downloadPath);
  }

  /** Starts a server on a copy of the data set, as the attack wants it; with `stop` its data goes too. */
  async start({ server: wanted = {} }: Attack): Promise<TreeServer> {
    const { tree, directory, serverCpus, signal } = this.#options;
    signal.throwIfAborted();
    const dataDir = await mkdtemp(join(directory, 'data-'));
    await cp(this.#dataDir, dataDir, { recursive: true });
    if (wanted.hasRuleFiles && !this.#hasRuleFiles) {
      await writeRuleFiles(this.#rulesDir);
      this.#hasRuleFiles = true;
    }
    const server = await TreeServer.start(tree, {
      directory,
      store: '',
      signal,
      dataDir,
      options: wanted.hasRuleFiles ? [`--rules-dir=${this.#rulesDir}`] : [],
      // From its start on, as a service has them: that is when it shares them among its listeners.
      launcher: [...limitedTo(wanted.descriptors ?? DESCRIPTORS), ...pinnedTo(serverCpus)],
    });
    try {
      if (wanted.hasRuleFiles) await untilApplied(server);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  targetOf(server: TreeServer): Target {
    return {
      cwmpPort: server.port,
      nbiPort: server.northbound.port,
      filePort: server.filePort,
      fileConnections: fileConnectionsOf(server.pid),
      viewer: VIEWER,
      operator: OPERATOR,
      downloadPath: this.#downloadPath,
      rulesDir: this.#rulesDir,
    };
  }
}

/** By default, and of as many descriptors as the server has: this machine may not let it have those of a service. */
function fileConnectionsOf(pid: number): number {
  return connectionShares(CONNECTIONS_BY_DEFAULT, descriptorLimit(pid)).files;
}

/** Image, rules and known CPEs. @returns the path of a Download that one more CPE was told */
async function filled(
  server: TreeServer,
  { cpes, rules }: Pick<StageOptions, 'cpes' | 'rules'>,
): Promise<string> {
  const { northbound, port } = server;
  const image = { type: 'application/octet-stream', content: 'x'.repeat(IMAGE_BYTES) };
  await call(northbound, 'PUT', `/v1/images/${IMAGE}?softwareVersion=2.0.0`, image);
  const bodies = Array.from({ length: rules }, (_, index) => pinnedRule(index, '1.0.0'));
  await postRules(northbound, [...bodies, parameterRule()], () => {});
  await drive(server, cpes, 10, (cpe) => firstContact(port, cpe));
  await firstContact(port, ROGUE);
  // After its first contact, which would take a Download for something else.
  await postRules(northbound, [rogueRule()], () => {});
  return downloadPathOf(port);
}

function rogueRule(): object {
  return { id: 'ROGUE', file: IMAGE, condition: { serialNumber: serialOf(ROGUE) } };
}

/** Reads a parameter of the CPE with a large data model, which is not looked up for the others. */
function parameterRule(): object {
  const parameter = `parameters.InternetGatewayDevice.${largeParameter(0, 0)}`;
  return {
    id: 'PARAMETER',
    file: IMAGE,
    condition: `productClass = "${LARGE_CLASS}" and ${parameter} = "no"`,
  };
}

/** Comes as a CPE that is offered an upgrade, and notes where it is told to get it. */
async function downloadPathOf(port: number): Promise<string> {
  const connection = await RawConnection.open(port);
  try {
    const { cookie } = await connection.post(inform(serialOf(ROGUE), ['2 PERIODIC'], '1.0.0'), null);
    const { status, body } = await connection.post('', cookie);
    const url = /<URL>([^<]*)<\/URL>/.exec(body)?.[1];
    if (url === undefined) throw new Error(`There was no Download, but HTTP ${status}: ${body}`);
    return new URL(url).pathname;
  } finally {
    connection.close();
  }
}

async function addUser(tree: string, dataDir: string, { user, password }: Credentials, role: string) {
  const words = ['user', 'add', user, `--role=${role}`, '--password-stdin', `--data-dir=${dataDir}`];
  const added = promisify(execFile)(process.execPath, [commandOf(tree), ...words], {
    env: neutralEnvironment(),
  });
  added.child.stdin?.end(`${password}\n`);
  await added;
}

/** Until the rules of the files are there, so that reading them for the first time is not measured. */
async function untilApplied({ northbound }: TreeServer): Promise<void> {
  const untilMs = performance.now() + RULE_FILES_MS_MAX;
  for (;;) {
    const answered = await call(northbound, 'GET', `/v1/dyn/FirmwareStorage/${LAST_RULE}`).catch(() => null);
    if (answered !== null) return;
    if (performance.now() > untilMs)
      throw new Error(`The rule files were not applied within ${RULE_FILES_MS_MAX / 1_000} seconds`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
