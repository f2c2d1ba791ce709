import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Document, MongoClient } from 'mongodb';
import { until } from './ferry.js';
import { freePorts } from './ferry-process.js';

/**
 * The program `secantusd-py` (or `secantusd-rs`) that tests start database servers with, from `SECANTUSD`: those that kill
 * theirs, or have it fail on purpose. Null where there is none, after registering a test that says so (and fails with
 * `FERRY_REQUIRE_MONGODB=1`).
 */
export function secantusd(): string | null {
  const program = process.env['SECANTUSD'] ?? '';
  if (program !== '') return program;
  test('tests on a database server of their own are skipped: SECANTUSD is not set', (t) => {
    t.log('Set SECANTUSD to the path of secantusd-py (Python package secantusdb) to run them.');
    t.not(
      process.env['FERRY_REQUIRE_MONGODB'],
      '1',
      'SECANTUSD is not set, and FERRY_REQUIRE_MONGODB=1 asks for it',
    );
  });
  return null;
}

/** A failure that the server plays, as MongoDB's `failCommand` takes it. */
export interface PlayedFailure {
  readonly failCommands: readonly string[];
  readonly errorCode?: number;
  readonly closeConnection?: true;
  readonly writeConcernError?: { readonly code: number; readonly errmsg: string };
  readonly errorLabels?: readonly string[];
}

/** A database server of a test's own, which can be killed and told to fail. */
export class DatabaseServer {
  #child: ChildProcess | null = null;
  #log = '';

  private constructor(
    private readonly program: string,
    private readonly directory: string,
    readonly port: number,
  ) {}

  /** On files of its own; `dispose` is to be called when it is no longer needed. */
  static async launch(program: string): Promise<DatabaseServer> {
    const { cwmp: port } = await freePorts();
    const server = new DatabaseServer(program, await mkdtemp(join(tmpdir(), 'ferry-database-')), port);
    await server.start();
    return server;
  }

  /** Gone when the test ends. */
  static async start(t: ExecutionContext, program: string): Promise<DatabaseServer> {
    const server = await DatabaseServer.launch(program);
    t.teardown(() => server.dispose());
    return server;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * Its address, with the name of a database. After an error that sounds like a fail-over the driver waits for the member's next
   * heartbeat, which here does not come early, as nothing has really changed.
   */
  url(database = 'ferry'): string {
    return `mongodb://127.0.0.1:${this.port}/${database}?directConnection=true&heartbeatFrequencyMS=500`;
  }

  get isRunning(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** On the files there are. */
  async start(): Promise<void> {
    const { program, directory, port } = this;
    const child = spawn(
      program,
      [
        ...['--host', '127.0.0.1', '--port', `${port}`, '--storage-path', directory],
        ...['--log-level', 'WARNING', '--enable-test-commands', '--sync-on-commit'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#log = (this.#log + chunk.toString()).slice(-20_000);
      });
    }
    await once(child, 'spawn');
    await until('the database server answers', async () => {
      if (!this.isRunning) throw new Error(`the database server ended: ${this.#log}`);
      return this.command({ ping: 1 }).catch(() => null);
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async command(command: Document): Promise<Document> {
    const client = new MongoClient(this.url('admin'), { serverSelectionTimeoutMS: 1_000 });
    try {
      return await client.db('admin').command(command);
    } finally {
      await client.close();
    }
  }

  /** Until the next one, or `times` times: every command of these fails, but for the first `skip`. */
  async fail(failure: PlayedFailure, mode: 'alwaysOn' | { times?: number; skip?: number }): Promise<void> {
    await this.command({ configureFailPoint: 'failCommand', mode, data: failure });
  }

  async heal(): Promise<void> {
    await this.command({ configureFailPoint: 'failCommand', mode: 'off' });
  }
}
