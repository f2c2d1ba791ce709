import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const HOST = fileURLToPath(new URL('command-host.js', import.meta.url));
export const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

/** This process's variables without any that a command would read. */
const CLEAN_ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('FERRY')),
);

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** What comes in on standard input; without it there is none. */
  readonly input?: string;
  readonly cwd?: string;
  /** Descriptor of an open file that takes standard output. */
  readonly outputTo?: number;
  /** A command that becomes the one given behind it, such as `setpriv`. */
  readonly launcher?: readonly string[];
}

export class FerryCommand {
  readonly pid: number;
  readonly #ended: Promise<Ended>;
  readonly #child: ReturnType<typeof spawn>;
  stdout = '';
  stderr = '';

  constructor(
    args: readonly string[],
    { environment = {}, input, cwd, launcher = [], outputTo }: RunOptions = {},
  ) {
    const [file = process.execPath, ...words] = [...launcher, process.execPath, MAIN, ...args];
    const child = spawn(file, words, {
      stdio: [input === undefined ? 'ignore' : 'pipe', outputTo ?? 'pipe', 'pipe'],
      env: { ...CLEAN_ENVIRONMENT, ...environment },
      ...(cwd !== undefined && { cwd }),
    });
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    this.#ended = once(child, 'close').then(([exitCode, signal]) => ({
      exitCode,
      signal,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Reads no more of what it says, as a reader does that has gone away. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once standard output holds `text`. @throws where the command ends before */
  says(text: string | RegExp): Promise<void> {
    return this.#holds(this.#child.stdout, () => this.stdout, text);
  }

  /** The same of standard error. */
  complains(text: string | RegExp): Promise<void> {
    return this.#holds(this.#child.stderr, () => this.stderr, text);
  }

  async #holds(stream: Readable | null, read: () => string, text: string | RegExp): Promise<void> {
    const holds = () => (typeof text === 'string' ? read().includes(text) : text.test(read()));
    while (stream !== null && !holds()) {
      const ended = await Promise.race([
        once(stream, 'data').then(() => false),
        this.#ended.then(() => true),
      ]);
      if (ended && !holds()) throw new Error(`It ended before it said ${text}: ${this.stderr}`);
    }
  }
}

/** One command to be run by a host. */
export interface HostedCommand {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: string;
  readonly cwd: string;
}

/** Ends what a command has said on either stream; no command says it. */
export const END_OF_COMMAND = '\0end of command\0';

/**
 * A process that runs one command after the other, each with streams, variables and a directory of its own. Starting Node
 * and loading Ferry is nearly all that most commands cost.
 */
class CommandHost {
  readonly #child = fork(HOST, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: CLEAN_ENVIRONMENT });

  readonly #died = once(this.#child, 'exit').then(([code, signal]) => {
    throw new Error(`a command ended its process: ${code ?? signal}`);
  });

  constructor() {
    this.#died.catch(() => {});
  }

  async run(command: HostedCommand): Promise<Ended> {
    const child = this.#child;
    const handles = [child, child.channel, child.stdout as Socket | null, child.stderr as Socket | null];
    for (const handle of handles) handle?.ref();
    const said = Promise.all([textOfCommand(child.stdout), textOfCommand(child.stderr)]);
    const answered = once(child, 'message') as Promise<[exitCode: number]>;
    child.send(command);
    const [[stdout, stderr], [exitCode]] = await Promise.race([Promise.all([said, answered]), this.#died]);
    // Between commands it must not keep the tests from ending; it ends with them.
    for (const handle of handles) handle?.unref();
    return { exitCode, signal: null, stdout, stderr };
  }
}

function textOfCommand(stream: Readable | null): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let tail = '';
    const take = (piece: Buffer) => {
      pieces.push(piece);
      tail = (tail + piece.toString('latin1')).slice(-END_OF_COMMAND.length);
      if (tail !== END_OF_COMMAND) return;
      stream?.off('data', take);
      resolve(Buffer.concat(pieces).toString().slice(0, -END_OF_COMMAND.length));
    };
    stream?.on('data', take);
  });
}

/** More at a time than there are cores would only make each of them slow. */
const turns: { readonly free: Promise<unknown>; readonly host?: CommandHost }[] = [
  { free: Promise.resolve() },
  { free: Promise.resolve() },
];

/** Runs a command to its end, in a process that is not this one, though perhaps not the first command there. */
export async function ferry(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { environment = {}, input = '', cwd = process.cwd() } = options;
  const command = { words: args, environment: { ...CLEAN_ENVIRONMENT, ...environment }, input, cwd };
  const turn = turns.shift() ?? { free: Promise.resolve() };
  const ownProcess =
    options.launcher !== undefined || options.outputTo !== undefined || LASTING.has(args[0] ?? '');
  const host = ownProcess ? turn.host : (turn.host ?? new CommandHost());
  const ended = turn.free.then(() =>
    ownProcess || host === undefined ? new FerryCommand(args, options).ended : host.run(command),
  );
  turns.push({ free: ended.catch(() => {}), ...(host !== undefined && { host }) });
  return ended;
}

/** Commands that a signal ends: each takes over its process. */
const LASTING: ReadonlySet<string> = new Set(['serve', 'demo', 'sim']);

export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'ferry-cli-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

const ANY_PORTS = ['--cwmp-listen=127.0.0.1:0', '--nbi-listen=127.0.0.1:0', '--file-listen=127.0.0.1:0'];

export interface Served {
  readonly command: FerryCommand;
  readonly dataDir: string;
  readonly urls: { readonly cwmp: string; readonly nbi: string; readonly files: string };
}

/** `ferry serve` on ports of its own, once it greets; ended with the test. */
export async function serve(
  t: ExecutionContext,
  dataDir: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Served> {
  const command = new FerryCommand(['serve', `--data-dir=${dataDir}`, ...ANY_PORTS, ...args], options);
  t.teardown(async () => {
    command.kill('SIGKILL');
    await command.ended;
  });
  await command.says(/Firmware files .*\n/);
  const url = (title: string) =>
    new RegExp(`^${title} +(http://[^/]+)/`, 'm').exec(command.stdout)?.[1] ?? '';
  return {
    command,
    dataDir,
    urls: { cwmp: url('CPEs connect to'), nbi: url('Northbound interface'), files: url('Firmware files') },
  };
}

/** GETs a northbound resource. @returns status and body, JSON read where it is */
export async function nbi(
  { urls }: Pick<Served, 'urls'>,
  path: string,
  user: string | null,
  method = 'GET',
  body?: unknown,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${urls.nbi}${path}`, {
    method,
    headers: {
      ...(user !== null && { Authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
  };
}
