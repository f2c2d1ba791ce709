import { readFile } from 'node:fs/promises';
import test from 'ava';
import { differences, ledgerOf } from './ledger.js';
import type { Lock, LockedPackage } from './lock.js';
import { LEDGER, project } from './project.js';

test('docs/dependencies.md is what package-lock.json has, and all of it may be passed on', async (t) => {
  const { lock, manifest } = await project();
  const found = differences(lock, manifest, await readFile(LEDGER, 'utf8'));
  t.is(
    found.length,
    0,
    `${found.join('\n')}\n\n\`npm run ledger\` writes the lines that should stand there.`,
  );
});

type Packages = Lock['packages'];

const SOUND: LockedPackage = { version: '1.0.0', license: 'MIT', integrity: 'sha512-x' };

/** bridge asks for plank twice over, and has a binary for each of two platforms; hammer builds it. */
const PACKAGES: Packages = {
  '': {
    version: '0.1.0',
    dependencies: { bridge: '^2.0.0', rope: '~1.4.0' },
    devDependencies: { hammer: '*' },
  },
  'node_modules/bridge': {
    ...SOUND,
    hasInstallScript: true,
    dependencies: { plank: '^1.0.0', rail: '^1.0.0' },
    optionalDependencies: { 'bridge-arm': '2.0.0' },
  },
  'node_modules/bridge-arm': { ...SOUND, optional: true, os: ['linux'], cpu: ['arm'] },
  'node_modules/hammer': { ...SOUND, dev: true, license: 'MPL-2.0', dependencies: { plank: '^9.0.0' } },
  'node_modules/hammer/node_modules/plank': { ...SOUND, dev: true, version: '9.0.0' },
  'node_modules/plank': SOUND,
  'node_modules/rail': { ...SOUND, dependencies: { plank: '0 || 1' } },
  'node_modules/rail/node_modules/plank': { ...SOUND, version: '0.9.0' },
  'node_modules/rope': { ...SOUND, license: '(MIT OR CC0-1.0)' },
};
const MANIFEST = { allowScripts: { bridge: false } };

const TEXT = `# Dependencies

## What Ferry asks for

Some words.

| package | range | licence | install script | needs | why it is there |
| --- | --- | --- | --- | --- | --- |
| bridge | ^2.0.0 | MIT | switched off | 2 | over \`a \\| b\` |
| rope | ~1.4.0 | (MIT OR CC0-1.0) | – | 0 | to hold on to |

## What these bring

| package | range | licence | install script | optional | brought by |
| --- | --- | --- | --- | --- | --- |
| bridge-arm | 2.0.0 | MIT | – | linux arm | bridge |
| plank | 0 \\|\\| 1 | MIT | – | – | rail |
| plank | ^1.0.0 | MIT | – | – | bridge |
| rail | ^1.0.0 | MIT | – | – | bridge |

## For development

| package | range | licence | install script | why it is there |
| --- | --- | --- | --- | --- |
| hammer | * | MPL-2.0 | – | to build with |

The end.
`;

const found = (changed: Packages, text = TEXT, manifest = MANIFEST) =>
  differences({ packages: { ...PACKAGES, ...changed } }, manifest, text);

test('a ledger of every package that is not for development alone has no differences', (t) => {
  t.deepEqual(found({}), []);
});

const COLUMNS: readonly [
  column: string,
  place: string,
  changed: LockedPackage,
  stands: string,
  should: string,
][] = [
  [
    'range',
    'node_modules/bridge',
    { ...SOUND, ...PACKAGES['node_modules/bridge'], dependencies: { plank: '^1.2.0', rail: '^1.0.0' } },
    '| plank | ^1.0.0 | MIT | – | – | bridge |',
    '| plank | ^1.2.0 | MIT | – | – | bridge |',
  ],
  [
    'range of what Ferry asks for',
    '',
    { version: '0.1.0', ...PACKAGES[''], dependencies: { bridge: '^2.0.0', rope: '^1.4.0' } },
    '| rope | ~1.4.0 | (MIT OR CC0-1.0) | – | 0 | to hold on to |',
    '| rope | ^1.4.0 | (MIT OR CC0-1.0) | – | 0 | to hold on to |',
  ],
  [
    'licence',
    'node_modules/plank',
    { ...SOUND, license: 'ISC' },
    '| plank | ^1.0.0 | MIT | – | – | bridge |',
    '| plank | ^1.0.0 | ISC | – | – | bridge |',
  ],
  [
    'licence of what is for development',
    'node_modules/hammer',
    { ...SOUND, dev: true },
    '| hammer | * | MPL-2.0 | – | to build with |',
    '| hammer | * | MIT | – | to build with |',
  ],
  [
    'install script',
    'node_modules/bridge',
    { ...SOUND, ...PACKAGES['node_modules/bridge'], hasInstallScript: false },
    '| bridge | ^2.0.0 | MIT | switched off | 2 | over `a \\| b` |',
    '| bridge | ^2.0.0 | MIT | – | 2 | over `a \\| b` |',
  ],
  [
    'platform',
    'node_modules/bridge-arm',
    { ...SOUND, optional: true, os: ['linux'], cpu: ['arm'], libc: ['musl'] },
    '| bridge-arm | 2.0.0 | MIT | – | linux arm | bridge |',
    '| bridge-arm | 2.0.0 | MIT | – | linux arm musl | bridge |',
  ],
  [
    'who brings it',
    'node_modules/rope',
    { ...SOUND, license: '(MIT OR CC0-1.0)', peerDependencies: { plank: '^1.0.0' } },
    '| plank | ^1.0.0 | MIT | – | – | bridge |',
    '| plank | ^1.0.0 | MIT | – | – | bridge, rope |',
  ],
];

for (const [column, place, changed, stands, should] of COLUMNS)
  test(`another ${column} in the lock than in the ledger is told with both lines`, (t) => {
    t.deepEqual(found({ [place]: changed }), [
      `stands there:       ${stands}`,
      `should stand there: ${should}`,
    ]);
  });

test('a package that the ledger lacks, or has and the lock does not, is told', (t) => {
  const rail = '| rail | ^1.0.0 | MIT | – | – | bridge |';
  t.deepEqual(found({}, TEXT.replace(`${rail}\n`, '')), [`should stand there: ${rail}`]);
  const extra = '| raft | ^1.0.0 | MIT | – | – | bridge |';
  t.deepEqual(found({}, TEXT.replace(rail, `${extra}\n${rail}`)), [`stands there:       ${extra}`]);
});

test('the order of lines is held too', (t) => {
  const [one, other] = [
    '| plank | 0 \\|\\| 1 | MIT | – | – | rail |',
    '| plank | ^1.0.0 | MIT | – | – | bridge |',
  ];
  const turned = TEXT.replace(`${one}\n${other}`, `${other}\n${one}`);
  t.not(turned, TEXT);
  t.deepEqual(found({}, turned), ['some lines stand twice, or in another order']);
});

test('a licence that is not permissive, or none, is told of what is installed with Ferry', (t) => {
  for (const license of ['GPL-3.0-only', 'UNLICENSED', 'MIT AND GPL-2.0-only']) {
    const packages = { 'node_modules/rail/node_modules/plank': { ...SOUND, version: '0.9.0', license } };
    const text = TEXT.replace('1 | MIT | – | – | rail |', `1 | ${license} | – | – | rail |`);
    t.deepEqual(found(packages, text), [`plank: its licence is not known to be permissive: ${license}`]);
  }
  const { license, ...none } = SOUND;
  t.true(
    found({ 'node_modules/rope': none }).includes(
      'rope: its licence is not known to be permissive: none stated',
    ),
  );
});

test('an install script that is not switched off is told, of what is for development too', (t) => {
  t.deepEqual(found({}, TEXT.replace('switched off', 'runs'), { allowScripts: { bridge: true } }), [
    'bridge: allowScripts in package.json does not switch its install script off',
  ]);
  const plank = { ...SOUND, version: '9.0.0', dev: true, hasInstallScript: true };
  t.deepEqual(found({ 'node_modules/hammer/node_modules/plank': plank }), [
    'plank: allowScripts in package.json does not switch its install script off',
  ]);
});

test('a package without an integrity is told, of what is for development too', (t) => {
  const { integrity, ...none } = SOUND;
  t.deepEqual(found({ 'node_modules/plank': none }), [
    'plank: the lock has no integrity for node_modules/plank',
  ]);
  t.deepEqual(found({ 'node_modules/hammer/node_modules/plank': { ...none, version: '9.0.0', dev: true } }), [
    'plank: the lock has no integrity for node_modules/hammer/node_modules/plank',
  ]);
});

test('a package that Ferry asks for without a reason is told, of what is for development too', (t) => {
  t.deepEqual(found({}, TEXT.replace('to hold on to', '')), ['rope: nothing says why it is there']);
  t.deepEqual(found({}, TEXT.replace('to build with', '')), ['hammer: nothing says why it is there']);
});

test('written anew, a ledger keeps its reasons and the text around the tables', (t) => {
  const empty = TEXT.replaceAll(/^\| (\S+) \| .* \| (.*) \|$/gm, (row, name, last) =>
    name === 'package' || name === '---' ? row : `| ${name} | | ${last} |`,
  );
  t.not(empty, TEXT);
  t.is(ledgerOf({ packages: PACKAGES }, MANIFEST, empty), TEXT);
  t.throws(() => ledgerOf({ packages: PACKAGES }, MANIFEST, TEXT.replace('## For development', '## Else')), {
    message: 'The ledger has no table under "## For development".',
  });
});
