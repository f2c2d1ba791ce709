import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Most lines of what everyone reads first. */
const LINES_MAX: Readonly<Record<string, number>> = { 'README.md': 250, 'ARCHITECTURE.md': 250 };
/** Where a name in backticks is a promise that there is such a file. The documents for operators also name what lies elsewhere. */
const MAPS = /^(ARCHITECTURE|CONTRIBUTING)\.md$|^(?!docs\/|test\/)[\w/-]+\/README\.md$|^docs\/decisions\.md$/;
const FILE_NAME = /^\.?[\w-][\w.-]*(\/[\w.-]+)*(\/|\.(ts|js|json|md|ya?ml|conf|cfg|service|xsd))$/;
/** Folders of the product: of tests and of what measures it only the most important files are named. */
const CODE: ReadonlySet<string> = new Set(
  'common store rules firmware acs rollout nbi cpe-sim client cli'.split(' '),
);
/** Folders that are no part of the project. */
const MADE: ReadonlySet<string> = new Set(['dist/', 'ferry-data/']);
const FENCE = /^ *```.*\n[\s\S]*?^ *```$/gm;

/** Paths from the root, with a slash at the end of a folder's. */
async function everything(): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(ROOT, folder), { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === '.git') continue;
      if (entry.isDirectory()) folders.push(`${folder}${entry.name}/`);
      found.push(entry.isDirectory() ? `${folder}${entry.name}/` : `${folder}${entry.name}`);
    }
  }
  return found;
}

const paths = await everything();
const known: ReadonlySet<string> = new Set(paths);
const names = paths.filter((path) => path.endsWith('.md') && !/^(dist|\.ci)\//.test(path)).sort();
const documents = new Map(
  await Promise.all(names.map(async (name) => [name, await readFile(join(ROOT, name), 'utf8')] as const)),
);

const isThere = (path: string) => known.has(path) || known.has(`${path}/`);

/** Where the links of a document lead, those out of the project left out. */
function linksOf(name: string): readonly { readonly path: string; readonly anchor: string | null }[] {
  const prose = (documents.get(name) ?? '').replace(FENCE, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor = null] = target.split('#');
    const led = path === '' ? name : normalize(join(dirname(name), path)).replace(/\/$/, '');
    return [{ path: led, anchor }];
  });
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(name: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const text = (documents.get(name) ?? '').replace(FENCE, '');
  for (const [, heading = ''] of text.matchAll(/^#+ (.*)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
    let [unique, repeats] = [anchor, 0];
    while (anchors.has(unique)) unique = `${anchor}-${++repeats}`;
    anchors.add(unique);
  }
  return anchors;
}

for (const name of names) {
  test(`every link of ${name} leads somewhere`, (t) => {
    const astray = linksOf(name).filter(
      ({ path, anchor }) => !isThere(path) || (anchor !== null && !anchorsOf(path).has(anchor)),
    );
    t.deepEqual(astray, []);
  });
}

for (const name of names.filter((each) => MAPS.test(each))) {
  test(`every file that ${name} names is there`, (t) => {
    const text = (documents.get(name) ?? '').replace(FENCE, '');
    const folder = name.endsWith('/README.md') ? `${dirname(name)}/` : '';
    const named = [...text.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
    const missing = named.filter((path) => {
      if (!FILE_NAME.test(path) || known.has(`${folder}${path}`) || known.has(path)) return false;
      // What is named without its folder is somewhere below.
      return (
        path.includes('/') || !paths.some((each) => each.startsWith(folder) && each.endsWith(`/${path}`))
      );
    });
    t.deepEqual([...new Set(missing)], []);
  });
}

test('every file of the code is on a map, or the folder is that it stands in', (t) => {
  const unnamed = paths.filter((path) => {
    const [, top = '', rest = ''] = /^([a-z-]+)\/(.+\.ts)$/.exec(path) ?? [];
    if (!CODE.has(top) || path.endsWith('/index.ts')) return false;
    const map = `${documents.get('ARCHITECTURE.md')}${documents.get(`${top}/README.md`)}`;
    const folder = dirname(rest) === '.' ? [] : [`${top}/${dirname(rest)}/`, `${dirname(rest)}/`];
    return ![path, rest, ...folder].some((name) => map.includes(`\`${name}\``));
  });
  t.deepEqual(unnamed, []);
});

test('the test files that CONTRIBUTING.md runs are there', (t) => {
  const blocks = [...(documents.get('CONTRIBUTING.md') ?? '').matchAll(FENCE)].join('\n');
  const run = [...blocks.matchAll(/\bdist\/test\/[\w/.-]+\.js\b/g)].map(([path]) => path);
  t.true(run.length > 0);
  t.deepEqual(
    run.filter((path) => !known.has(path)),
    [],
  );
});

test('every folder of the project is on the map', (t) => {
  const map = documents.get('ARCHITECTURE.md') ?? '';
  const folders = paths.filter((path) => /^[a-z][a-z-]*\/$/.test(path) && !MADE.has(path));
  t.true(folders.length > 10);
  t.deepEqual(
    folders.filter((folder) => !map.includes(`\`${folder}\``)),
    [],
  );
});

test('what everyone reads first is short', (t) => {
  for (const [name, linesMax] of Object.entries(LINES_MAX)) {
    const lines = (documents.get(name) ?? '').trimEnd().split('\n').length;
    t.true(lines > 1 && lines <= linesMax, `${name} has ${lines} lines`);
  }
});

test('links of documents in the npm package lead to files in it', async (t) => {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', pack, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  const packed = [...stdout.matchAll(/"path": "([^"]+)"/g)].map(([, path = '']) => path);
  t.true(packed.includes('README.md'));
  const isPacked = (path: string) => packed.some((each) => each === path || each.startsWith(`${path}/`));
  for (const name of packed.filter((path) => documents.has(path))) {
    const left = linksOf(name).filter(({ path }) => !isPacked(path));
    t.deepEqual(left, [], name);
  }
});
