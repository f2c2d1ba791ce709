import process from 'node:process';
import { Writable } from 'node:stream';
import type { CommandModule, Options } from 'yargs';
import { createLogger } from '../../common/index.js';
import { runSimulator, type SimulatorCommandOptions, simulatorOptions } from '../../cpe-sim/index.js';
import { type Arguments, CommandError, endSignal } from '../command.js';
import { SIM_PASSWORD_VARIABLE } from '../config-sources.js';
import type { Io } from '../io.js';

export function simCommand(io: Io): CommandModule {
  return {
    command: 'sim',
    describe: 'Run simulated CPEs against an ACS',
    builder(argv) {
      for (const [name, option] of Object.entries(simulatorOptions)) argv.option(name, optionOf(option));
      return argv
        .example('$0 sim --acs http://localhost:7547/ --count 20', 'Twenty CPEs that behave')
        .example(
          '$0 sim --acs http://localhost:7547/ --count 20 --fault 7=transfer:9010 --fault 1-5=old-version',
          'Some that do not',
        );
    },
    async handler(args: Arguments) {
      const options: Record<string, unknown> = {};
      for (const name of Object.keys(simulatorOptions)) options[name] = args[name];
      // Other users of the machine can read a flag.
      if (args['user'] !== undefined) options['password'] ??= io.environment[SIM_PASSWORD_VARIABLE];
      const end = new AbortController();
      void endSignal().then(() => end.abort());
      // Whoever started the CPEs for itself (ferry demo) has died, perhaps before this line was reached.
      process.once('disconnect', () => end.abort());
      if (process.connected === false) end.abort();
      const errors: string[] = [];
      const exitCode = await runSimulator(options as unknown as SimulatorCommandOptions, {
        stdout: io.stdout,
        stderr: new Writable({
          write(chunk: Buffer, _encoding, done) {
            errors.push(chunk.toString());
            done();
          },
        }),
        signal: end.signal,
        isTerminal: io.stdout.isTTY === true,
        logger: createLogger({ level: 'warn', format: 'text', stream: io.stderr }),
      });
      // The channel alone would keep this process alive.
      if (process.connected) process.disconnect();
      if (exitCode !== 0) throw new CommandError(errors.join('').trim(), exitCode === 2 ? 2 : 1);
    },
  };
}

function optionOf(option: (typeof simulatorOptions)[keyof typeof simulatorOptions]): Options {
  const common = {
    describe: option.description,
    ...('default' in option && { default: option.default }),
    ...('choices' in option && { choices: option.choices }),
    ...('required' in option && { demandOption: true }),
  };
  if ('repeatable' in option) return { ...common, type: 'array', string: true, nargs: 1, requiresArg: true };
  return { ...common, type: option.type, ...(option.type !== 'boolean' && { requiresArg: true }) };
}
