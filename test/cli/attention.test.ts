import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { until } from '../support/ferry.js';
import { ferry, nbi, serve, temporaryDirectory } from './support.js';

const ADMIN = 'admin:a long password';
const RULES = [
  { id: 'missing', file: 'nope.bin', condition: { productClass: 'HGW' }, limits: { total: 1 } },
  {
    id: 'unknown',
    file: 'http://192.0.2.1/x.bin',
    target: { softwareVersion: '2' },
    condition: 'softwareversion = "1"',
  },
];

test('what an operator must know is in the log, the figures and the health of a server, also where it was so before it started', async (t) => {
  t.timeout(300_000);
  const directory = await temporaryDirectory(t);
  const dataDir = join(directory, 'data');
  const image = join(directory, 'x.bin');
  await writeFile(image, 'firmware');
  t.is((await ferry(['image', 'add', image, `--data-dir=${dataDir}`])).exitCode, 0);
  const frozen = await ferry(['freeze', '--reason=VLANs', `--data-dir=${dataDir}`]);
  t.is(frozen.exitCode, 0, frozen.stderr);
  const contents = join(dataDir, 'images', 'content');
  for (const name of await readdir(contents)) await rm(join(contents, name));
  const rulesDir = await temporaryDirectory(t);
  await writeFile(join(rulesDir, 'rules.json'), JSON.stringify(RULES));

  const served = await serve(t, dataDir, [`--rules-dir=${rulesDir}`], {
    environment: { FERRY_ADMIN_PASSWORD: 'a long password' },
  });
  await served.command.complains(/warn {2}rules\.freeze .*frozen=true.* reason=VLANs/);
  await served.command.complains(/warn {2}rules\.image-missing .*ruleId=missing/);
  await served.command.complains(/warn {2}rules\.unknown-field .*ruleId=unknown/);
  await served.command.complains(/error images\.unreadable .*x\.bin.* count=1/);
  const figures = async () => String((await nbi(served, '/metrics', ADMIN)).body);
  const parts = async () => ((await nbi(served, '/healthz', null)).body as { parts: object }).parts;
  t.like(await parts(), { rules: 'degraded', ruleFiles: 'ok', upgrades: 'degraded', images: 'degraded' });
  const first = await figures();
  for (const line of [
    'ferry_rules_amiss{why="image-missing"} 1',
    'ferry_rules_amiss{why="unknown-field"} 1',
    'ferry_rules_amiss{why="stopped"} 0',
    'ferry_rules_amiss{why="suspended"} 0',
    'ferry_upgrades_frozen 1',
    'ferry_organizations_frozen 0',
    'ferry_images_unreadable 1',
    'ferry_rule_files_amiss 0',
  ])
    t.true(first.includes(`\n${line}\n`), line);

  const lifted = await ferry(['freeze', '--lift', `--data-dir=${dataDir}`]);
  t.is(lifted.exitCode, 0, lifted.stderr);
  await writeFile(join(rulesDir, 'rules.json'), '[');
  await served.command.complains(/warn {2}rules\.freeze frozen=false/);
  await served.command.complains('rules.file-broken');
  await until('the figures say so', async () =>
    /\nferry_upgrades_frozen 0\n[\s\S]*\nferry_rule_files_amiss 1\n/.test(await figures()),
  );
  t.like(await parts(), { rules: 'degraded', ruleFiles: 'degraded', upgrades: 'ok' });

  await writeFile(join(rulesDir, 'rules.json'), JSON.stringify([{ ...RULES[0], enabled: false }]));
  await served.command.complains(/info {2}rules\.mended .*ruleId=unknown/);
  await until('nothing is amiss with rules', async () => {
    const { rules } = (await parts()) as { rules?: string };
    return rules === 'ok';
  });
});
