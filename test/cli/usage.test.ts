import process from 'node:process';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { commandLine } from '../../cli/command-line.js';
import type { Io } from '../../cli/io.js';
import { CONFIG_NAMES, flagOf } from '../../cli/options.js';
import { simulatorOptions } from '../../cpe-sim/index.js';
import { ferry, temporaryDirectory } from './support.js';

const IO: Io = {
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  stdin: process.stdin,
  environment: {},
};

const COMMANDS = [
  '',
  'serve',
  'demo',
  'sim',
  'image',
  'image add',
  'image list',
  'image remove',
  'image sync',
  'rules',
  'rules explain',
  'rules match',
  'rules check',
  'rules test',
  'rules prune',
  'rules schema',
  'device',
  'device list',
  'device show',
  'device delete',
  'device approve-url',
  'device readmit',
  'user',
  'user add',
  'user password',
  'user remove',
  'user list',
  'cpe-auth',
  'cpe-auth import',
  'cpe-auth set',
  'cpe-auth show',
  'cpe-auth remove',
  'freeze',
  'store',
  'store check',
  'backup',
  'restore',
  'migrate',
  'config',
];

/** `--name  Text` of a help, by name, wrapped lines put together. */
function optionsIn(help: string): Map<string, string> {
  const options = new Map<string, string>();
  let last = '';
  for (const line of help.split('\n')) {
    const [, name, text = ''] = /^ +(?:-\w, )? *--([a-z\d-]+) *(.*)$/.exec(line) ?? [];
    if (name !== undefined) last = name;
    else if (!line.startsWith('   ')) last = '';
    if (last !== '')
      options.set(last, `${options.get(last) ?? ''} ${name === undefined ? line.trim() : text}`);
  }
  return options;
}

for (const command of COMMANDS) {
  test(`the help of ferry ${command} explains each option and fits 100 columns`, async (t) => {
    const help = await commandLine(command.split(' ').filter(Boolean), IO).getHelp();
    t.true(help.includes(`ferry ${command}`), help);
    for (const line of help.split('\n')) t.true(line.length <= 100, line);
    const options = optionsIn(help);
    t.true(options.has('help'));
    for (const [name, text] of options) {
      const words = text.replaceAll(/\[(string|number|boolean|array|required|default: [^\]]*)\]/g, '').trim();
      t.true(words.length >= 8, `--${name}: "${text}"`);
      t.notRegex(text, /\S\[(string|number|boolean|array)\]/, `--${name}`);
    }
    for (const name of /^(serve|config)$/.test(command) ? CONFIG_NAMES : [])
      t.true(options.has(flagOf(name)), name);
    for (const name of command === 'sim' ? Object.keys(simulatorOptions) : [])
      t.true(options.has(name), name);
  });
}

test('help is asked for with --help, -h or the word, and goes to standard output', async (t) => {
  const help = `${await commandLine(['image', 'add'], IO).getHelp()}\n`;
  t.like(await ferry(['image', 'add', '--help']), { exitCode: 0, stdout: help, stderr: '' });
  t.like(await ferry(['-h', 'image', 'add']), { exitCode: 0, stdout: help, stderr: '' });
  t.like(await ferry(['help']), { exitCode: 0, stderr: '' });
});

test('the version is the package’s', async (t) => {
  const { exitCode, stdout } = await ferry(['--version']);
  t.is(exitCode, 0);
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a command that is not complete shows its help and fails', async (t) => {
  for (const words of [[], ['image'], ['user']]) {
    const { exitCode, stdout, stderr } = await ferry(words);
    t.is(exitCode, 2);
    t.is(stdout, '');
    t.regex(stderr, /Commands:\n {2}ferry (serve|image add <file>|user add <name>) /);
    t.regex(stderr, /ferry: say which command\n$/);
  }
});

const WRONG: readonly (readonly [words: string, says: RegExp])[] = [
  ['srve', /^ferry: there is no such command; did you mean serve\?\n/],
  ['image lst', /^ferry: there is no such command; did you mean list\?\n/],
  ['zzzzzzzz', /^ferry: "zzzzzzzz" is not expected here\n/],
  [
    'serve --data-dri x',
    /^ferry: there is no option --data-dri here; did you mean --data-dir\?\nUsage: ferry serve\n/,
  ],
  [
    'user list --no-thing extra',
    /there is no option --thing here\nword 4 after "ferry" is not expected here\n/,
  ],
  [
    'image add',
    /^ferry: something is missing\nUsage: ferry image add <file>\nferry image add --help explains it\n$/,
  ],
  ['config --data-dir', /^ferry: --data-dir needs a value\n/],
  ['image add x --name a --name b', /^ferry: --name is given more than once\n$/],
  ['freeze --lift --status', /^ferry: Arguments lift and status are mutually exclusive\n/],
  ['sim --count 1', /^ferry: --acs is needed\n/],
  ['sim --acs nowhere', /^ferry: --acs: must be an http or https URL\n$/],
  ['sim --acs http://a/ --count x', /^ferry: --count: must be a number from 1 to 1000000\n$/],
  [
    'serve --image-mib-max many --log-level loud',
    /^ferry: --image-mib-max must be .*\n--log-level must be .*\n$/,
  ],
];

for (const [words, says] of WRONG) {
  test(`ferry ${words} is refused with a reason and nothing done`, async (t) => {
    const cwd = await temporaryDirectory(t);
    const { exitCode, stdout, stderr } = await ferry(words.split(' '), { cwd });
    t.is(exitCode, 2);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.notRegex(stderr, /^ +at /m);
  });
}

test('variables for other commands and for other programs break no command', async (t) => {
  const cwd = await temporaryDirectory(t);
  const environment = {
    FERRY: '1',
    FERRY_ADMIN_PASSWORD: 'long enough',
    FERRY_DATA_DIR: 'data',
    FERRY_SERVICE_HOST: '10.0.0.1',
    FERRY_PORT: 'tcp://10.0.0.1:7547',
    FERRY_JSON: 'true',
  };
  const added = await ferry(['user', 'add', 'bob'], { cwd, environment });
  t.is(added.exitCode, 0, added.stderr);
  t.regex((await ferry(['user', 'list'], { cwd, environment })).stdout, /│ bob/);
  t.is(
    (await ferry(['sim', '--acs=x'], { cwd, environment })).stderr,
    'ferry: --acs: must be an http or https URL\n',
  );
  const config = await ferry(['config', '--json'], { cwd, environment });
  t.is(config.exitCode, 0);
  t.regex(config.stderr, /ignored, as no option is called so: FERRY_JSON, FERRY_PORT, FERRY_SERVICE_HOST\n/);
});
