import { readFile } from 'node:fs/promises';
import test from 'ava';

const read = (name: string) => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8');

interface Manifest {
  readonly engines: { readonly node: string };
  readonly ferry: { readonly triedOnNode: readonly string[] };
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(await read('package.json')) as Manifest;
const tried = manifest.ferry.triedOnNode;
const oldest = manifest.engines.node.replace('>=', '');

test('the oldest Node.js that package.json takes is tried in its first release, and written against', (t) => {
  t.is(tried[0], `${oldest}.0`);
  t.regex(manifest.devDependencies['@types/node'] ?? '', new RegExp(`^\\^${oldest}\\.`));
});

test('the Node.js of the container is one that is tried', async (t) => {
  const majors = [...(await read('deploy/Dockerfile')).matchAll(/\bnode:(\d+)-/g)].map(([, major]) => major);
  t.true(majors.length > 0);
  for (const major of majors) t.true(tried.includes(String(major)), `${major}`);
});

test('CONTRIBUTING.md names the versions that are tried, and CI tries them', async (t) => {
  const names = `${tried.slice(0, -1).join(', ')} and ${tried.at(-1)}`;
  t.true((await read('CONTRIBUTING.md')).includes(names), names);
  const run = await read('.ci/run');
  t.regex(run, /^read -r node_oldest node_others <<<"\$\(node_tried\)"$/m);
  t.regex(run, /^step node_is "\$node_oldest"$/m);
  t.regex(run, /^suite \.ci\/node-versions \$node_others$/m);
});
