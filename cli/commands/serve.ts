import cluster from 'node:cluster';
import { performance } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import type { CommandModule } from 'yargs';
import { systemClock } from '../../common/index.js';
import { type Arguments, CommandError, endSignal, loggerOf, withConfig } from '../command.js';
import { workersOf } from '../config.js';
import { readConfig, unknownVariables } from '../config-sources.js';
import type { Io } from '../io.js';
import { CONFIG_NAMES, type Config } from '../options.js';
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
        .example(
          '$0 serve --cpe-auth home:secret --connection-request-subnet 10.0.0.0/8',
          'CPEs behind a management network',
        ),
    async handler(args: Arguments) {
      const config = await readConfig(args, io.environment);
      const workers = workersOf(config);
      if (workers === 1) return serveAlone(config, io);
      const number = io.environment[WORKER_VARIABLE];
      // Anyone can set a variable; only a supervisor has made this process a worker.
      return cluster.isWorker && number !== undefined
        ? serveAsWorker(config, Number(number))
        : supervise(config, workers, io);
    },
  };
}

async function serveAlone(config: Config, io: Io): Promise<void> {
  warnOfUnknown(io);
  const logger = loggerOf(config);
  const ended = endSignal();
  const ferry = await startFerry(config, { clock: systemClock, logger });
  greet(ferry, io);
  const signal = await Promise.race([ended, ferry.replaced]);
  logger.info('ferry.stopping', signal === undefined ? { reason: 'restored' } : { signal });
  await ferry.close();
  logger.info('ferry.stopped');
  if (signal === undefined) throw replacedError();
}

/** What it has in memory is of a store that is no more. */
function replacedError(): CommandError {
  return new CommandError(
    'A restore took this server for dead and has replaced what it works on: start it again.',
  );
}

async function supervise(config: Config, count: number, io: Io): Promise<void> {
  warnOfUnknown(io);
  const logger = loggerOf(config);
  const ended = endSignal();
  const supervisor = new Supervisor({ count, logger, monotonicMs: () => performance.now() });
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
  const logger = loggerOf(config, { worker: number });
  const allMetrics = (own: Registry) => worker.sharingMetrics(own);
  try {
    const ferry = await startFerry(config, { clock: systemClock, logger, allMetrics });
    worker.started(ferry);
    const isReplaced = await Promise.race([worker.ended, ferry.replaced.then(() => true)]);
    await ferry.close();
    if (isReplaced === true) throw replacedError();
  } finally {
    worker.leave();
  }
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
