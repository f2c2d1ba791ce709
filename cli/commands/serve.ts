import cluster from 'node:cluster';
import { performance } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import type { CommandModule } from 'yargs';
import { type LogFields, type Logger, SECOND_MS, systemClock } from '../../common/index.js';
import { type Arguments, CommandError, endSignal, loggerOf, onHangUp, withConfig } from '../command.js';
import { workersOf } from '../config.js';
import { type ConfigFile, readConfigAndFile, unknownVariables } from '../config-sources.js';
import type { Io } from '../io.js';
import { logWordsOfLibraries } from '../library-words.js';
import { CONFIG_NAMES, type Config } from '../options.js';
import { checkPaths, type OpenSecret, openSecret, statOf } from '../paths.js';
import { type Started, startFerry } from '../server.js';
import { WORKER_VARIABLE } from '../workers/protocol.js';
import { Supervisor } from '../workers/supervisor.js';
import { Worker } from '../workers/worker.js';

export function serveCommand(io: Io): CommandModule {
  return {
    command: 'serve',
    describe: 'Run the server: CWMP listener, northbound interface and file server',
    builder: (argv) =>
      withConfig(argv, CONFIG_NAMES)
        .example('$0 serve --rules-dir rules.d --public-file-url http://192.0.2.1:7567', 'The usual way')
        .example('$0 serve --connection-request-subnet 10.0.0.0/8', 'CPEs behind a management network'),
    async handler(args: Arguments) {
      const { config, file } = await readConfigAndFile(args, io.environment);
      const openSecrets = [...(await checkPaths(config)), ...(await openConfigFile(file))];
      const workers = workersOf(config);
      if (workers === 1) return serveAlone(config, io, openSecrets);
      const number = io.environment[WORKER_VARIABLE];
      // Anyone can set a variable; only a supervisor has made this process a worker.
      return cluster.isWorker && number !== undefined
        ? serveAsWorker(config, Number(number))
        : supervise(config, workers, io, openSecrets);
    },
  };
}

async function serveAlone(config: Config, io: Io, openSecrets: readonly OpenSecret[]): Promise<void> {
  warnOfUnknown(io);
  const logger = serverLogger(config);
  tellOfOpenSecrets(openSecrets, logger);
  const ended = endSignal();
  // While it starts there is nothing to read again, but no reason to end either.
  let reload = (): void => {};
  onHangUp(() => {
    logger.info('ferry.reloading', { signal: 'SIGHUP' });
    reload();
  });
  try {
    const ferry = await startFerry(config, { clock: systemClock, logger });
    reload = ferry.reload;
    greet(ferry, io);
    const signal = await Promise.race([ended, ferry.replaced]);
    logger.info('ferry.stopping', signal === undefined ? { reason: 'restored' } : { signal });
    await ferry.close();
    logger.info('ferry.stopped');
    if (signal === undefined) throw replacedError();
  } finally {
    // Also where it could not start: the rule files are looked at before anything listens.
    endWhateverHangs();
  }
}

/** What it has in memory is of a store that is no more. */
function replacedError(): CommandError {
  return new CommandError(
    'A restore took this server for dead and has replaced what it works on: start it again.',
  );
}

/** So long whatever is left may take to end by itself. */
const LEFT_MS_MAX = 5 * SECOND_MS;

/**
 * Ends a process that has stopped, or could not start, and is kept by a read that hangs in the kernel, of a rule file on a dead mount. `process.exit`
 * waits for that as well, only SIGKILL does not. Nothing happens where the process ends by itself: the timer does not keep it.
 */
function endWhateverHangs(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), LEFT_MS_MAX).unref();
}

async function supervise(
  config: Config,
  count: number,
  io: Io,
  openSecrets: readonly OpenSecret[],
): Promise<void> {
  warnOfUnknown(io);
  const logger = serverLogger(config);
  tellOfOpenSecrets(openSecrets, logger);
  const ended = endSignal();
  const supervisor = new Supervisor({ count, logger, monotonicMs: () => performance.now() });
  onHangUp(() => {
    logger.info('ferry.reloading', { signal: 'SIGHUP' });
    supervisor.reload();
  });
  const started = supervisor.start();
  const signal = await Promise.race([ended, started.then((told) => greet(told, io)).then(() => ended)]);
  logger.info('ferry.stopping', { signal });
  await supervisor.stop();
  // A signal that came before it had started is no failure to start.
  await started.catch(() => {});
  logger.info('ferry.stopped');
}

async function serveAsWorker(config: Config, number: number): Promise<void> {
  const worker = new Worker();
  const logger = serverLogger(config, { worker: number });
  const allMetrics = (own: Registry) => worker.sharingMetrics(own);
  try {
    const ferry = await startFerry(config, { clock: systemClock, logger, allMetrics });
    worker.started(ferry, ferry.reload);
    const isReplaced = await Promise.race([worker.ended, ferry.replaced.then(() => true)]);
    await ferry.close();
    if (isReplaced === true) throw replacedError();
  } finally {
    worker.leave();
    endWhateverHangs();
  }
}

/** Of a process that serves; what libraries have to say becomes events of it. */
function serverLogger(config: Config, fields: LogFields = {}): Logger {
  const logger = loggerOf(config, fields);
  logWordsOfLibraries(logger);
  return logger;
}

async function openConfigFile(file: ConfigFile | null): Promise<readonly OpenSecret[]> {
  if (file === null || file.secrets.length === 0) return [];
  const open = openSecret(file.path, await statOf(file.path), file.secrets.join(', '));
  return open === null ? [] : [open];
}

/** Served all the same: in a container, or where modes are somebody else's affair, it may be as it should be. */
function tellOfOpenSecrets(openSecrets: readonly OpenSecret[], logger: Logger): void {
  for (const open of openSecrets) logger.warn('secret-file.open-to-others', { ...open });
}

function warnOfUnknown({ environment, stderr }: Io): void {
  const unknown = unknownVariables(environment);
  if (unknown !== null) stderr.write(`ferry: ${unknown}\n`);
}

function greet({ urls, firstAdmin, newCpeCredentials }: Started, io: Io): void {
  const lines = [
    `CPEs connect to       ${urls.cwmp}/`,
    `Northbound interface  ${urls.nbi}/v1/`,
    `Firmware files        ${urls.files}/`,
  ];
  if (firstAdmin !== null) {
    lines.push(`First user            ${firstAdmin.name}, password ${firstAdmin.password} (shown this once)`);
  }
  if (newCpeCredentials !== null) {
    const { username, password } = newCpeCredentials;
    lines.push(`CPEs log in as        ${username}, password ${password} (again by ferry config --secrets)`);
  }
  io.stdout.write(`${lines.join('\n')}\n`);
}
