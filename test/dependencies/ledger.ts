import { isPermissive } from './licence.js';
import {
  demandsOf,
  type Lock,
  type LockedPackage,
  nameAt,
  placeOf,
  productionPlaces,
  type Ranges,
} from './lock.js';

/** What package.json adds to the lock: the install scripts that npm may run (true) or not (false). */
export interface Manifest {
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

type Row = readonly string[];

interface Table {
  /** The heading that it stands under. */
  readonly heading: string;
  readonly columns: Row;
  readonly rows: readonly Row[];
}

const DIRECT = 'What Ferry asks for';
const BROUGHT = 'What these bring';
const DEVELOPMENT = 'For development';

/** In place of what is usual, so that the rest catches the eye. */
const NOTHING = '–';

/** What is wrong with the ledger, or with the tree that it tells of: a line each. */
export function differences(lock: Lock, manifest: Manifest, ledger: string): readonly string[] {
  const expected = ledgerOf(lock, manifest, ledger);
  return [...faultsOfTree(lock, manifest), ...faultsOfLines(ledger, expected), ...unexplained(expected)];
}

/** The ledger as it should be: the tables as the lock has them; the reasons and the text around them as they stand. */
export function ledgerOf(lock: Lock, manifest: Manifest, ledger: string): string {
  const { dependencies, optionalDependencies, devDependencies = {} } = lock.packages[''] ?? {};
  const tables: readonly Table[] = [
    {
      heading: DIRECT,
      columns: ['package', 'range', 'licence', 'install script', 'needs', 'why it is there'],
      rows: asked(lock, { ...dependencies, ...optionalDependencies }, (name, range, locked) => [
        name,
        range,
        licenceOf(locked),
        scriptOf(name, locked, manifest),
        String(Object.keys(locked?.dependencies ?? {}).length),
        reasonsIn(ledger, DIRECT).get(name) ?? '',
      ]),
    },
    {
      heading: BROUGHT,
      columns: ['package', 'range', 'licence', 'install script', 'optional', 'brought by'],
      rows: brought(lock, manifest),
    },
    {
      heading: DEVELOPMENT,
      columns: ['package', 'range', 'licence', 'install script', 'why it is there'],
      rows: asked(lock, devDependencies, (name, range, locked) => [
        name,
        range,
        licenceOf(locked),
        scriptOf(name, locked, manifest),
        reasonsIn(ledger, DEVELOPMENT).get(name) ?? '',
      ]),
    },
  ];
  return tables.reduce(withTable, ledger);
}

function faultsOfTree(lock: Lock, { allowScripts = {} }: Manifest): readonly string[] {
  return Object.entries(lock.packages)
    .filter(([place]) => place !== '')
    .flatMap(([place, locked]) => {
      const name = nameAt(lock, place);
      const licence = licenceOf(locked);
      const faults: string[] = [];
      if (locked.integrity === undefined) faults.push(`${name}: the lock has no integrity for ${place}`);
      if (locked.dev !== true && !isPermissive(licence))
        faults.push(`${name}: its licence is not known to be permissive: ${licence}`);
      // Of development too: its scripts would run wherever Ferry is built.
      if (locked.hasInstallScript === true && allowScripts[name] !== false)
        faults.push(`${name}: allowScripts in package.json does not switch its install script off`);
      return faults;
    });
}

function faultsOfLines(ledger: string, expected: string): readonly string[] {
  const stand = ledger.split('\n');
  const should = expected.split('\n');
  const faults = [
    ...stand.filter((line) => !should.includes(line)).map((line) => `stands there:       ${line}`),
    ...should.filter((line) => !stand.includes(line)).map((line) => `should stand there: ${line}`),
  ];
  if (faults.length > 0 || ledger === expected) return faults;
  return ['some lines stand twice, or in another order'];
}

function unexplained(ledger: string): readonly string[] {
  return [DIRECT, DEVELOPMENT]
    .flatMap((heading) => [...reasonsIn(ledger, heading)])
    .filter(([, reason]) => reason === '')
    .map(([name]) => `${name}: nothing says why it is there`);
}

/** What the project itself asks for, by name. */
function asked(
  lock: Lock,
  ranges: Ranges,
  row: (name: string, range: string, locked: LockedPackage | undefined) => Row,
): readonly Row[] {
  return Object.entries(ranges)
    .map(([name, range]) => row(name, range, lock.packages[`node_modules/${name}`]))
    .sort(byCells);
}

/** Everything else in the tree: a row for each version of each package, wherever and however often it is installed. */
function brought(lock: Lock, manifest: Manifest): readonly Row[] {
  const { dependencies, optionalDependencies } = lock.packages[''] ?? {};
  const own = Object.keys({ ...dependencies, ...optionalDependencies }).map((name) =>
    placeOf(lock, '', name),
  );
  const demands = demandsOf(lock);
  const copies = new Map<string, string[]>();
  for (const place of productionPlaces(lock).filter((each) => !own.includes(each))) {
    const copy = `${nameAt(lock, place)}@${lock.packages[place]?.version}`;
    copies.set(copy, [...(copies.get(copy) ?? []), place]);
  }
  return [...copies.values()]
    .map((places) => {
      const [first = ''] = places;
      const name = nameAt(lock, first);
      const locked = lock.packages[first];
      const by = places.flatMap((place) => demands.get(place) ?? []);
      return [
        name,
        listOf(by.map(({ range }) => range)),
        licenceOf(locked),
        scriptOf(name, locked, manifest),
        optionOf(locked),
        listOf(by.map((demand) => demand.by)),
      ];
    })
    .sort(byCells);
}

function licenceOf(locked: LockedPackage | undefined): string {
  return locked?.license ?? 'none stated';
}

function scriptOf(name: string, locked: LockedPackage | undefined, { allowScripts = {} }: Manifest): string {
  if (locked?.hasInstallScript !== true) return NOTHING;
  return allowScripts[name] === false ? 'switched off' : 'runs';
}

/** Whether an installation may do without it, and on which platforms it does not. */
function optionOf(locked: LockedPackage | undefined): string {
  if (locked?.optional !== true && locked?.devOptional !== true) return NOTHING;
  return [...(locked.os ?? []), ...(locked.cpu ?? []), ...(locked.libc ?? [])].join(' ') || 'yes';
}

function listOf(values: readonly string[]): string {
  return [...new Set(values)].sort().join(', ');
}

/** By the first cell, then the next; the same on every machine, whatever its language. */
function byCells(one: Row, other: Row): number {
  const first = one.join('\0');
  const second = other.join('\0');
  return first < second ? -1 : Number(first > second);
}

/** The lines of the table under a heading. */
function tableUnder(heading: string): RegExp {
  return new RegExp(`(?<=^## ${heading}\\n[^|#]*)(?:^\\|.*\\n)+`, 'm');
}

function withTable(ledger: string, { heading, columns, rows }: Table): string {
  if (!tableUnder(heading).test(ledger)) throw new Error(`The ledger has no table under "## ${heading}".`);
  const lines = [columns, columns.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`,
  );
  return ledger.replace(tableUnder(heading), () => lines.join(''));
}

/** The last cell of each row under a heading, by the first. */
function reasonsIn(ledger: string, heading: string): ReadonlyMap<string, string> {
  const [, , ...rows] = tableUnder(heading).exec(ledger)?.[0].trimEnd().split('\n') ?? [];
  return new Map(
    rows.map((row) => {
      const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
      return [cells[1] ?? '', cells.at(-2) ?? ''];
    }),
  );
}
