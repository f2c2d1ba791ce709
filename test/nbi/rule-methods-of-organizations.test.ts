import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import type { EventDocument } from '../../events/index.js';
import { openApiDocument } from './declared.js';
import { type Reply, ruleBody, type TestNbi } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

const FILE = { file: 'http://files.example.net/hgw-2.0.0.bin', target: { softwareVersion: '2.0.0' } };
const fleetRule = (id: string, more: Record<string, unknown> = {}) =>
  ruleBody(id, { condition: { productClass: 'HGW' }, ...FILE, ...more });

async function post(nbi: TestNbi, as: string, ...bodies: readonly unknown[]): Promise<void> {
  const reply = await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: bodies, as });
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
}

const method = (nbi: TestNbi, name: string, as: string, json?: unknown) =>
  nbi.call(`/v1/method/${name}`, json === undefined ? { as } : { method: 'POST', as, json });

interface Details {
  readonly [field: string]: unknown;
  readonly rules: readonly { readonly [field: string]: unknown }[];
}
const detailsOf = ({ status, body }: Reply): Details => {
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body as { readonly details: Details }).details;
};

const [NORTHS, SOUTHS, NOBODYS] = ['00A1B2-HGW-1', '00A1B2-HGW-2', '00A1B2-HGW-3'];

async function withDevices(t: Parameters<typeof startWithTwo>[0]): Promise<TwoOrganizations> {
  const nbi = await startWithTwo(t);
  await nbi.putDeviceOf(nbi.north, { serialNumber: '1' });
  await nbi.putDeviceOf(nbi.south, { serialNumber: '2' });
  await nbi.putDevice({ serialNumber: '3' });
  return nbi;
}

const isExplanation = new Ajv2020({ strict: false })
  .addSchema({ $id: 'document', ...openApiDocument })
  .compile({ $ref: 'document#/components/schemas/Explanation' });

test('an organization is told of its own rules alone, and of the installation’s which of them hold, without why', async (t) => {
  const nbi = await withDevices(t);
  const { as } = nbi;
  const explain = async (user: string, more: object = {}) =>
    detailsOf(await method(nbi, 'ExplainRules', user, { cpe_id: NORTHS, ...more }));
  await post(nbi, as.north.operator, fleetRule('A', { priority: 2 }), fleetRule('B', { enabled: false }));
  await post(nbi, as.south.operator, fleetRule('A', { priority: 99 }), fleetRule('SECRET', { priority: 98 }));
  t.like(await explain(as.north.viewer), {
    kind: 'upgrade',
    winner: 'A',
    reason: '"A" is the only rule that may upgrade it now.',
    omitted: 0,
  });
  await post(
    nbi,
    as.installation.operator,
    fleetRule('A', { priority: 1, description: 'Y' }),
    fleetRule('STB-SECRET', { condition: { productClass: 'STB' } }),
    fleetRule('OFF-SECRET', { enabled: false }),
    fleetRule('READS-SECRET', { condition: 'productClass > 1' }),
    fleetRule('SHUT', { window: { cron: '0 0 1 1 *', durationMinutes: 1 }, priority: 5 }),
  );
  const behind = await explain(as.north.viewer);
  t.like(behind, { kind: 'upgrade', winner: 'A', reason: '"A" goes first.', omitted: 0 });
  t.deepEqual(
    behind.rules.map(({ conjuncts: _, ...rule }) => rule),
    [
      { id: 'SHUT', verdict: 'window-closed', priority: 5, of: 'installation' },
      { id: 'A', verdict: 'chosen', priority: 2 },
      { id: 'B', verdict: 'disabled', priority: 1 },
      { id: 'A', verdict: 'lower-priority', priority: 1, of: 'installation' },
    ],
  );
  t.is(behind.rules.filter(({ conjuncts }) => conjuncts !== undefined).length, 2);
  t.true(isExplanation(behind), JSON.stringify(isExplanation.errors));

  await post(nbi, as.installation.operator, fleetRule('A', { priority: 50 }));
  const beaten = await explain(as.north.viewer);
  t.like(beaten, { kind: 'upgrade', winner: null, reason: 'A rule of the installation goes first.' });
  t.is(
    beaten.rules.find(({ of, id }) => of === undefined && id === 'A')?.['detail'],
    'a rule of the installation goes before it',
  );
  t.notRegex(JSON.stringify([behind, beaten]), /SECRET|99|98/);
  t.is((await explain(as.north.viewer, { limit: 1 }))['omitted'], 2);
  const named = await explain(as.north.viewer, { rules: ['B'] });
  t.deepEqual(
    named.rules.map(({ id, verdict }) => [id, verdict]),
    [['B', 'disabled']],
  );
  t.is((await method(nbi, 'ExplainRules', as.north.viewer, { cpe_id: NORTHS, rules: ['SHUT'] })).status, 404);
  t.deepEqual(await explain(`${as.installation.viewer}`, {}).then(({ winner }) => winner), 'A');
  const draft = fleetRule('SHUT', { priority: 60 });
  t.like(await explain(as.north.operator, { rule: draft }), { winner: 'SHUT' });
});

test('the installation is told of everybody’s rules for a CPE, each as it is called and whose it is', async (t) => {
  const nbi = await withDevices(t);
  const { as } = nbi;
  await post(nbi, as.north.operator, fleetRule('A', { priority: 2 }));
  await post(nbi, as.south.operator, fleetRule('S', { priority: 9 }));
  await post(nbi, as.installation.operator, fleetRule('A', { priority: 1 }));
  const explain = async (json: object) =>
    detailsOf(await method(nbi, 'ExplainRules', as.installation.viewer, json));
  for (const asked of [
    { cpe_id: NORTHS },
    { cpe: { organization: 'north' } },
    { cpe_id: NORTHS, rules: ['A'] },
  ]) {
    const told = await explain(asked);
    t.like(told, { winner: 'A', reason: '"A" of its organization goes before "A": priority 2 > 1.' });
    t.deepEqual(
      told.rules.map(({ id, organization, verdict }) => [id, organization, verdict]),
      [
        ['A', 'north', 'chosen'],
        ['A', undefined, 'lower-priority'],
      ],
    );
    t.true(isExplanation(told));
  }
  t.like(await explain({ cpe_id: NOBODYS }), { winner: 'A', rules: [{ id: 'A' }] });
  t.like(await explain({ cpe: {} }), {
    winner: 'A',
    reason: '"A" is the only rule that may upgrade it now.',
  });
});

test('a CPE of another organization is explained as one that nobody knows, and one that is described is the asker’s', async (t) => {
  const nbi = await withDevices(t);
  const explain = (json: object, as = nbi.as.north.viewer) => method(nbi, 'ExplainRules', as, json);
  const refusals: unknown[][] = [];
  for (const id of [SOUTHS, NOBODYS, '00A1B2-HGW-9']) {
    const { status, body } = await explain({ cpe_id: id });
    refusals.push([status, JSON.stringify(body).replaceAll(String(id), 'ID')]);
  }
  t.is(refusals[0]?.[0], 404);
  t.deepEqual(refusals, [refusals[2], refusals[2], refusals[2]]);
  await post(nbi, nbi.as.north.operator, fleetRule('A', { condition: { organization: 'north' } }));
  for (const organization of [undefined, 'north', nbi.north.id])
    t.like(detailsOf(await explain({ cpe: { organization } })), { winner: 'A' });
  const described: unknown[][] = [];
  for (const organization of ['south', 'nowhere']) {
    const { status, body } = await explain({ cpe: { organization } });
    described.push([status, JSON.stringify(body).replaceAll(organization, 'SLUG')]);
  }
  const [foreign, unknown] = described;
  t.is(foreign?.[0], 400);
  t.regex(String(foreign?.[1]), /cpe\.organization/);
  t.deepEqual(foreign, unknown);
  t.is((await explain({ cpe_id: NORTHS }, nbi.as.south.viewer)).status, 404);
});

test('what is read of a CPE on account of the installation’s rules is not told', async (t) => {
  const nbi = await withDevices(t);
  const reading = (id: string, name: string) =>
    fleetRule(id, { condition: { productClass: 'HGW', [`parameters.Device.${name}`]: 1 } });
  await post(nbi, nbi.as.installation.operator, reading('R', 'Secret.X'));
  const asked = async () =>
    detailsOf(await method(nbi, 'ExplainRules', nbi.as.north.viewer, { cpe_id: NORTHS }));
  const theirs = await asked();
  t.like(theirs, { kind: 'read', reads: [] });
  t.regex(String(theirs['reason']), /asked for what rules of the installation read, then/);
  await post(nbi, nbi.as.north.operator, reading('N', 'Own.Y'));
  const both = await asked();
  t.like(both, { kind: 'read', reads: ['Device.Own.Y'] });
  t.notRegex(JSON.stringify([theirs, both]), /Secret/);
});

test('a rule is held against the CPEs of its organization alone: known, looked at, listed, page by page', async (t) => {
  const nbi = await withDevices(t);
  const { as, north, south } = nbi;
  for (let number = 10; number < 16; number++)
    await nbi.putDeviceOf(number % 2 === 0 ? north : south, { serialNumber: String(number) });
  await nbi.putDevice({ serialNumber: '17' });
  const norths = ['1', '10', '12', '14'].map((serial) => `00A1B2-HGW-${serial}`);
  await post(nbi, as.north.operator, fleetRule('A'));
  await post(nbi, as.installation.operator, fleetRule('A', { priority: 9 }));
  const match = (json: object, user = as.north.operator, query = '') =>
    method(nbi, `MatchDevices${query}`, user, json).then(detailsOf);
  const cpeids = (details: Details) =>
    (details['cpes'] as { cpeid: string; detail?: string }[]).map(({ cpeid }) => cpeid);
  for (const asked of [
    { rule_id: 'A' },
    { rule: fleetRule('B') },
    { condition: { productClass: 'HGW' } },
    { condition: 'productClass = "HGW"' },
    { condition: { serialNumber: ['1', '2', '3', '10', '11', '12', '14'] } },
    { condition: { cpeid: [...norths, SOUTHS, NOBODYS] } },
  ]) {
    const told = await match(asked);
    t.like(told, { known: 4, matching: 4, looked_at: 4 }, JSON.stringify(asked));
    t.deepEqual(cpeids(told), norths);
  }
  const beaten = await match({ rule_id: 'A' });
  t.like(beaten, { id: 'A', would_upgrade_now: 0, verdicts: { 'lower-priority': 4 } });
  t.regex(JSON.stringify(beaten), /"detail":"a rule of the installation goes before it"/);
  t.deepEqual(cpeids(await match({ rule_id: 'A', after: '00A1B2-HGW-10' })), norths.slice(2));
  t.is((await method(nbi, 'MatchDevices', as.south.operator, { rule_id: 'A' })).status, 404);

  // Of the default there is no complete index.
  const ofDefault = await match(
    { condition: { productClass: 'HGW' } },
    as.installation.operator,
    '?organization=default',
  );
  t.like(ofDefault, { known: 2, looked_at: 2, matching: 2 });
  t.deepEqual(cpeids(ofDefault), ['00A1B2-HGW-17', NOBODYS]);
  const ofAll = await match({ rule_id: 'A' }, as.installation.operator);
  t.like(ofAll, { id: 'A', known: 10, looked_at: 10, matching: 10 });
  t.like(await match({ rule_id: 'A' }, as.installation.operator, '?organization=north'), beaten);
  await post(nbi, as.north.operator, fleetRule('A', { priority: 10 }));
  const details = JSON.stringify(await match({ rule_id: 'A' }, as.installation.operator));
  t.regex(details, /"detail":"\\"A\\" of its organization goes before it"/);
});

test('each organization has a brake of its own, under that of the installation', async (t) => {
  const nbi = await startWithTwo(t);
  const { as } = nbi;
  const freeze = (user: string, json?: object, query = '') =>
    method(nbi, `FreezeUpgrades${query}`, user, json).then(detailsOf);
  t.like(await freeze(as.north.operator, { frozen: true, reason: 'ours' }), { frozen: true, reason: 'ours' });
  t.like(await freeze(as.north.viewer), { frozen: true, by: 'operator@north' });
  t.deepEqual(await freeze(as.south.viewer), { frozen: false } as never);
  t.deepEqual(await freeze(as.installation.viewer), { frozen: false } as never);
  t.like(await freeze(as.installation.viewer, undefined, '?organization=north'), { reason: 'ours' });
  await freeze(as.installation.operator, { frozen: true, reason: 'all' });
  t.like(await freeze(as.south.viewer), { frozen: true, reason: 'all' });
  // It has lifted its own, and is told that the other holds.
  t.like(await freeze(as.north.operator, { frozen: false }), { frozen: true, reason: 'all' });
  await freeze(as.installation.operator, { frozen: false });
  t.like(await freeze(as.north.viewer), { frozen: false });
  t.is((await method(nbi, 'FreezeUpgrades', as.north.viewer, { frozen: true })).status, 403);
  await freeze(as.installation.operator, { frozen: true }, '?organization=south');
  t.like(await freeze(as.south.viewer), { frozen: true, by: 'operator.all' });
  t.like(await freeze(as.north.viewer), { frozen: false });
});

test('rules are restarted within an organization, and every event of rules and brakes says whose they are', async (t) => {
  const nbi = await startWithTwo(t);
  const { as, north } = nbi;
  for (const user of [as.north.operator, as.installation.operator]) await post(nbi, user, fleetRule('A'));
  const restarts = async () => {
    const found: Record<string, number> = {};
    for await (const { organization = '', restarts } of nbi.rules.scan({})) found[organization] = restarts;
    return found;
  };
  const restart = (user: string, query = '') => method(nbi, `RestartRule${query}`, user, { id: 'A' });
  t.is((await restart(as.north.operator)).status, 200);
  t.deepEqual(await restarts(), { '': 0, [north.id]: 1 });
  t.is((await restart(as.installation.operator)).status, 200);
  t.is((await restart(as.installation.operator, '?organization=north')).status, 200);
  t.deepEqual(await restarts(), { '': 1, [north.id]: 2 });
  const refused = await restart(as.south.operator);
  t.is(refused.status, 404);
  t.like(refused.body, { details: [{ ids: ['A'] }] });

  const path = '/v1/dyn/FirmwareStorage/A';
  await nbi.call(path, { method: 'PUT', as: as.north.operator, json: { priority: 4 } });
  await nbi.call(path, { method: 'DELETE', as: as.north.operator });
  await method(nbi, 'FreezeUpgrades', as.north.operator, { frozen: true });
  const told: string[] = [];
  for await (const event of nbi.events.scan({})) {
    const { action, subject, subjectId, organization } = event as EventDocument;
    if (subject === 'rule' || subject === 'freeze')
      told.push(
        `${organization === north.id ? 'north' : (organization ?? '-')} ${action} ${subject} ${subjectId}`,
      );
  }
  t.deepEqual(told.toSorted(), [
    '- added rule A',
    '- restarted rule A',
    'north added rule A',
    'north changed rule A',
    'north frozen freeze upgrades',
    'north removed rule A',
    'north restarted rule A',
    'north restarted rule A',
  ]);
});
