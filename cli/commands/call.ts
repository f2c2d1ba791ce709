import { readFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import {
  type Credentials,
  createClient,
  FerryError,
  type Input,
  OPERATIONS,
  type OperationId,
} from '../../client/index.js';
import { type Arguments, CommandError } from '../command.js';
import { CALL_PASSWORD_VARIABLE, CALL_TOKEN_VARIABLE, type Environment } from '../config-sources.js';
import { type Io, printable } from '../io.js';

const URL_DEFAULT = 'http://127.0.0.1:7557';

/** `ferry call`: any call of the northbound interface of a server, wherever it runs. */
export function callCommand(io: Io): CommandModule {
  return {
    command: 'call [operation] [parameters..]',
    describe: 'Call the northbound interface of a running Ferry, here or elsewhere',
    builder: (argv) =>
      argv
        .positional('operation', { type: 'string', describe: 'As the OpenAPI document names it' })
        .positional('parameters', {
          type: 'string',
          array: true,
          default: [] as string[],
          describe: 'NAME=VALUE, of the path or the query',
        })
        .option('url', {
          type: 'string',
          requiresArg: true,
          default: URL_DEFAULT,
          describe: 'Where the northbound interface is',
        })
        .option('user', {
          type: 'string',
          requiresArg: true,
          describe: `Log in by this name and the password in ${CALL_PASSWORD_VARIABLE}; without it by the token in ${CALL_TOKEN_VARIABLE}`,
        })
        .option('data', {
          type: 'string',
          requiresArg: true,
          describe: 'The body: JSON, or with @ before it the name of a file',
        })
        .option('type', { type: 'string', requiresArg: true, describe: 'The media type of the body' })
        .option('list', { type: 'boolean', describe: 'Say what can be called' })
        .example('$0 call --list', 'What there is')
        .example('$0 call listResults pattern=.* cpeid=00A1B2-HGW-1', 'What became of the upgrades of a CPE')
        .example(
          `$0 call sendConnectionRequest --data '{"search_options":{"cpe_id":"00A1B2-HGW-1"}}'`,
          'Have a CPE come',
        ),
    handler: async (args: Arguments) => {
      if (args['list'] === true) return list(io);
      const operation = operationNamed(args['operation']);
      const client = createClient({ url: String(args['url']), ...credentialsOf(args, io.environment) });
      try {
        const { body } = await client.call(operation, await inputOf(operation, args));
        write(io, body);
      } catch (error) {
        if (error instanceof FerryError) throw new CommandError(error.message);
        if (error instanceof TypeError) throw new CommandError(`${args['url']} cannot be reached`);
        throw error;
      }
    },
  };
}

const NAME_COLUMNS = 34;

function list(io: Io): void {
  for (const [name, { method, path, summary }] of Object.entries(OPERATIONS)) {
    io.stdout.write(
      `${name.padEnd(NAME_COLUMNS)} ${summary}\n${' '.repeat(NAME_COLUMNS)} ${method} ${path}\n`,
    );
  }
}

/** @throws CommandError where there is no such call */
function operationNamed(name: unknown): OperationId {
  if (name === undefined) throw new CommandError('Say what is called; --list says what can be.', 2);
  const found = OPERATION_IDS.find((each) => each === name);
  if (found === undefined)
    throw new CommandError(
      printable(`There is no call named ${String(name)}; --list says what there is.`),
      2,
    );
  return found;
}

/** Their names are all keys that there are. */
const OPERATION_IDS = Object.keys(OPERATIONS) as OperationId[];

/** Neither a token nor a password is a flag: whoever is on the machine reads the flags of every process. */
function credentialsOf(args: Arguments, environment: Environment): { readonly credentials?: Credentials } {
  const { [CALL_TOKEN_VARIABLE]: token, [CALL_PASSWORD_VARIABLE]: password } = environment;
  if (args['user'] !== undefined) {
    if (password === undefined)
      throw new CommandError(`Set ${CALL_PASSWORD_VARIABLE} to the password of --user.`, 2);
    return { credentials: { name: String(args['user']), password } };
  }
  return token === undefined ? {} : { credentials: { token } };
}

/** @throws CommandError where a parameter is none, or the body is no JSON */
async function inputOf(operation: OperationId, args: Arguments): Promise<Input<OperationId>> {
  const { path: template, body: kinds } = OPERATIONS[operation];
  const inPath = new Set([...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name));
  const path: Record<string, string> = {};
  const query: Record<string, string[]> = {};
  for (const parameter of [args['parameters']].flat().map(String)) {
    const at = parameter.indexOf('=');
    if (at < 1) throw new CommandError(printable(`${parameter} is no NAME=VALUE.`), 2);
    const [name, value] = [parameter.slice(0, at), parameter.slice(at + 1)];
    if (inPath.has(name)) path[name] = value;
    else query[name] = [...(query[name] ?? []), value];
  }
  const missing = [...inPath].filter((name) => path[name] === undefined);
  if (missing.length > 0) throw new CommandError(`Say ${missing.join(', ')} as NAME=VALUE.`, 2);
  const type = args['type'] === undefined ? kinds[0] : String(args['type']);
  const body = args['data'] === undefined ? undefined : await dataOf(String(args['data']), type);
  // The server judges what is said, as it does that of whoever else calls it.
  return {
    path,
    query,
    ...(body !== undefined && { body }),
    ...(type !== undefined && { contentType: type }),
  } as Input<OperationId>;
}

/** JSON is parsed here, so that a slip of the pen is told before anything is sent. */
async function dataOf(data: string, type: string | undefined): Promise<unknown> {
  const isFile = data.startsWith('@');
  const bytes = isFile ? await readData(data.slice(1)) : new TextEncoder().encode(data);
  if (type !== 'application/json') return bytes;
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new CommandError(`${isFile ? data.slice(1) : '--data'} is no JSON: ${String(error)}`, 2);
  }
}

async function readData(file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), 2);
  }
}

/** JSON so that people read it; whatever else as it came. */
function write(io: Io, body: unknown): void {
  if (body === undefined) return;
  if (typeof body === 'string') io.stdout.write(body);
  else if (body instanceof Uint8Array) io.stdout.write(body);
  else io.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
}
