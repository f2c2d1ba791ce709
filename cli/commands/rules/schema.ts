import type { CommandModule } from 'yargs';
import { RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from '../../../rules/index.js';
import type { Arguments } from '../../command.js';
import type { Io } from '../../io.js';

const SCHEMAS = { rule: RULE_FILE_SCHEMA, test: RULE_TEST_FILE_SCHEMA } as const;

export function schemaCommand(io: Io): CommandModule {
  return {
    command: 'schema [kind]',
    describe: 'Print the JSON Schema of rule files, or of their tests',
    builder: (argv) =>
      argv
        .positional('kind', {
          type: 'string',
          choices: ['rule', 'test'],
          default: 'rule',
          describe: 'Of rule files, or of their tests',
        })
        .example('$0 rules schema > rule-file.schema.json', 'For an editor to complete and check by'),
    handler: (args: Arguments) => {
      const schema = SCHEMAS[args['kind'] === 'test' ? 'test' : 'rule'];
      io.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    },
  };
}
