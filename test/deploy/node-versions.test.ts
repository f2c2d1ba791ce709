import { readFile } from 'node:fs/promises';
import test from 'ava';

const read = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8');

interface Manifest {
  readonly engines: { readonly node: string };
  readonly ferry: { readonly triedOnNode: readonly string[]; readonly testedOnNode: string };
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(await read('package.json')) as Manifest;
const { triedOnNode: tried, testedOnNode: tested } = manifest.ferry;
const oldest = manifest.engines.node.replace('>=', '');

test('the oldest Node.js that package.json takes is tried in its first release, and written against', (t) => {
  t.is(tried[0], `${oldest}.0`);
  t.regex(manifest.devDependencies['@types/node'] ?? '', new RegExp(`^\\^${oldest}\\.`));
});

test('the Node.js of the container is the one that every test runs on', async (t) => {
  const majors = [...(await read('deploy/Dockerfile')).matchAll(/\bnode:(\d+)-/g)].map(([, major]) => major);
  t.true(majors.length > 0);
  for (const major of majors) t.is(major, tested);
  t.true(tried.includes(tested));
});

test('CONTRIBUTING.md names the versions that are tried, and CI tries them', async (t) => {
  const names = `${tried.slice(0, -1).join(', ')} and ${tried.at(-1)}`;
  const contributing = await read('CONTRIBUTING.md');
  t.true(contributing.includes(names), names);
  t.true(contributing.includes(`\`.ci/run\` runs every test on ${tested}`));
  const run = await read('.ci/run');
  t.regex(run, /^node_main=\$\(node_tested\)$/m);
  t.regex(run, /^step node_is "\$node_main"$/m);
  t.regex(run, /^suite \.ci\/node-versions \$\(node_others\)$/m);
});
