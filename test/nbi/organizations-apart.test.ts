import { randomUUID } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import type { CpeId, OrganizationId, ResultId, RuleId } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { impossibleHash } from '../../nbi/users/password.js';
import { USERS, type UserDocument } from '../../nbi/users/user.js';
import { ruleIdIn } from '../../rules/index.js';
import { type RequestOptions, startNbi, type TestNbi } from './support.js';

/**
 * The law: what a user of one organization is answered does not depend on what is done in another. A random history of both is played to one
 * installation, and what north does in it to a second one, where nobody of south does anything. North must not be able to tell the two apart.
 */

const SIDES = ['north', 'south'] as const;
type Side = (typeof SIDES)[number];
/** Nobody logs in by one here. */
const NO_PASSWORD = impossibleHash();
const CASES = Number(process.env['FERRY_PROPERTY_CASES'] ?? 12);
const STEP_MS = 1_000;

/** Whose CPE somebody names. */
const CPE = fc.record({ of: fc.constantFrom('own', 'own', 'other', 'nobody'), at: fc.nat({ max: 1 }) });
type CpeReference = { readonly of: 'own' | 'other' | 'nobody'; readonly at: number };
const RULE_ID = fc.constantFrom('A', 'UPGRADE_1');
const RULE_PATTERN = fc.constantFrom('A', 'UPGRADE_1', 'UP.*', '.*', 'NONE');
const IMAGE = fc.constantFrom('a.bin', 'b.bin', 'shared.bin', 'none.bin');
const NAMED = fc.constantFrom('nobody', 'nobody', 'nobody', 'own', 'other', 'unknown');
const CONDITION = fc.oneof(
  fc.constant({ productClass: 'HGW' }),
  fc.constant('softwareVersion = "1.0.0"'),
  fc.constant('nothing.at.all > 1'),
  fc.record({ cpe: CPE }),
);
const LISTED = fc.record({
  storage: fc.constantFrom(
    'FirmwareStorage',
    'FirmwareResultStorage',
    'DeviceStorage',
    'UserStorage',
    'AuditStorage',
    'OrganizationStorage',
    'CpeAuthStorage',
  ),
  pattern: fc.constantFrom('.*', '.*', 'A', 'UP.*', 'NONE'),
  limit: fc.constantFrom(null, 1, 2),
  sort: fc.constantFrom(null, 'id', '-id'),
  cpe: fc.option(CPE),
});

/** What somebody does, in words that mean the same to both sides. */
const ACT = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('post'),
      id: RULE_ID,
      priority: fc.nat({ max: 2 }),
      condition: CONDITION,
      onlyNew: fc.boolean(),
      file: IMAGE,
      limited: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant('put'), pattern: RULE_PATTERN, enabled: fc.boolean() }),
  fc.record({ kind: fc.constant('delete'), pattern: RULE_PATTERN }),
  fc.record({ kind: fc.constant('restart'), id: RULE_ID }),
  fc.record({ kind: fc.constant('freeze'), frozen: fc.boolean() }),
  fc.record({ kind: fc.constant('upload'), image: IMAGE, content: fc.constantFrom('x', 'y') }),
  fc.record({ kind: fc.constant('delete-image'), image: IMAGE }),
  fc.record({ kind: fc.constant('image'), image: IMAGE, what: fc.constantFrom('', '/content') }),
  fc.record({ kind: fc.constant('images'), limit: fc.constantFrom(1, 100) }),
  fc.record({ kind: fc.constant('delete-cpe'), cpe: CPE, dryRun: fc.boolean() }),
  fc.record({ kind: fc.constant('delete-results'), id: RULE_ID }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('method'),
      name: fc.constantFrom('ApproveDevices', 'ReadmitDevice', 'SendCNR'),
      cpe: CPE,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('explain'), cpe: CPE, draft: fc.option(CONDITION) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('match'), id: fc.option(RULE_ID), condition: CONDITION }),
  },
  fc.record({ kind: fc.constant('user'), name: fc.constantFrom('viewer', 'other'), active: fc.boolean() }),
  fc.record({ kind: fc.constant('token'), user: fc.constantFrom('viewer', 'other') }),
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('list'), asked: LISTED, named: NAMED }) },
  fc.record({
    kind: fc.constant('get'),
    path: fc.constantFrom('/metrics', '/v1/sessions', '/v1/method/FreezeUpgrades'),
  }),
  // The CPEs' part.
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('comes'), at: fc.nat({ max: 1 }), waits: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('upgraded'),
      at: fc.nat({ max: 1 }),
      id: RULE_ID,
      of: fc.constantFrom('own', 'installation'),
      status: fc.boolean(),
    }),
  },
);
type Act = typeof ACT extends fc.Arbitrary<infer Of> ? Of : never;
type Condition = typeof CONDITION extends fc.Arbitrary<infer Of> ? Of : never;

interface Step {
  readonly by: Side;
  readonly act: Act;
  /** Of a result that comes of it. */
  readonly id: string;
}

/** What names mean in one case: each has organizations and CPEs of its own. */
interface Case {
  readonly number: number;
  readonly organizations: Readonly<Record<Side, OrganizationId>>;
}

const slugOf = ({ number }: Case, side: Side) => `${side}-${number}`;
const other = (side: Side): Side => (side === 'north' ? 'south' : 'north');
const serialOf = (of: Case, side: Side, at: number) => `${slugOf(of, side)}-${at}`;

function cpeidOf(of: Case, by: Side, cpe: CpeReference): CpeId {
  const whose = cpe.of === 'own' ? by : cpe.of === 'other' ? other(by) : null;
  return `00A1B2-HGW-${whose === null ? `nobody-${cpe.at}` : serialOf(of, whose, cpe.at)}` as CpeId;
}

function conditionOf(of: Case, by: Side, condition: Condition): unknown {
  return typeof condition === 'object' && 'cpe' in condition
    ? { cpeid: cpeidOf(of, by, condition.cpe as CpeReference) }
    : condition;
}

/** The request of an act; null where it is none. */
function requestOf(of: Case, by: Side, act: Act): readonly [string, RequestOptions] | null {
  const send = (
    method: string,
    path: string,
    json?: unknown,
    headers = {},
  ): readonly [string, RequestOptions] => [path, { method, headers, ...(json !== undefined && { json }) }];
  switch (act.kind) {
    case 'post': {
      const { id, priority, onlyNew, file, limited } = act;
      const body = {
        id,
        file,
        priority,
        condition: conditionOf(of, by, act.condition),
        ...(limited && { limits: { total: 1 } }),
      };
      return send('POST', '/v1/dyn/FirmwareStorage/.*', body, onlyNew ? { 'If-None-Match': '*' } : {});
    }
    case 'put':
      return send('PUT', `/v1/dyn/FirmwareStorage/${act.pattern}?all=true`, { enabled: act.enabled });
    case 'delete':
      return send('DELETE', `/v1/dyn/FirmwareStorage/${act.pattern}?all=true`);
    case 'restart':
      return send('POST', '/v1/method/RestartRule', { id: act.id });
    case 'freeze':
      return send('POST', '/v1/method/FreezeUpgrades', { frozen: act.frozen });
    case 'upload':
      return [
        `/v1/images/${act.image}`,
        { method: 'PUT', body: act.content, headers: { 'Content-Type': 'application/octet-stream' } },
      ];
    case 'delete-image':
      return send('DELETE', `/v1/images/${act.image}`);
    case 'image':
      return send('GET', `/v1/images/${act.image}${act.what}`);
    case 'images':
      return send('GET', `/v1/images?limit=${act.limit}`);
    case 'delete-cpe':
      return send(
        'DELETE',
        `/v1/dyn/DeviceStorage/${cpeidOf(of, by, act.cpe as CpeReference)}${act.dryRun ? '?dryRun=true' : ''}`,
      );
    case 'delete-results':
      return send('DELETE', `/v1/dyn/FirmwareResultStorage/.*?id=${act.id}`);
    case 'method': {
      const id = cpeidOf(of, by, act.cpe as CpeReference);
      return send(
        'POST',
        `/v1/method/${act.name}`,
        act.name === 'SendCNR' ? { search_options: { cpe_id: id } } : { cpe_id: id },
      );
    }
    case 'explain': {
      const rule =
        act.draft === null
          ? undefined
          : { id: 'DRAFT', file: 'a.bin', condition: conditionOf(of, by, act.draft) };
      return send('POST', '/v1/method/ExplainRules', {
        cpe_id: cpeidOf(of, by, act.cpe as CpeReference),
        ...(rule && { rule }),
      });
    }
    case 'match':
      return send(
        'POST',
        '/v1/method/MatchDevices',
        act.id === null ? { condition: conditionOf(of, by, act.condition) } : { rule_id: act.id },
      );
    case 'user': {
      const name = act.name === 'viewer' ? `viewer@${slugOf(of, by)}` : `viewer@${slugOf(of, other(by))}`;
      return send('PUT', `/v1/dyn/UserStorage/${name}`, { active: act.active });
    }
    case 'token': {
      const user = act.user === 'viewer' ? `viewer@${slugOf(of, by)}` : `viewer@${slugOf(of, other(by))}`;
      return send('POST', '/v1/dyn/TokenStorage/.*', { name: 'script', user });
    }
    case 'list': {
      const { storage, pattern, limit, sort, cpe } = act.asked;
      const named = { nobody: null, own: slugOf(of, by), other: slugOf(of, other(by)), unknown: 'nowhere' }[
        act.named
      ];
      const query = new URLSearchParams();
      if (limit !== null) query.set('limit', String(limit));
      if (sort !== null) query.set('sort', sort);
      if (named !== null && named !== undefined) query.set('organization', named);
      const hasCpe = ['FirmwareStorage', 'FirmwareResultStorage', 'DeviceStorage'].includes(storage);
      if (cpe !== null && hasCpe) query.set('cpeid', cpeidOf(of, by, cpe as CpeReference));
      return send('GET', `/v1/dyn/${storage}/${pattern}?${query}`);
    }
    case 'get':
      return send('GET', act.path);
    default:
      return null;
  }
}

/** What CPEs do, told to the store as sessions tell it. */
async function happen(nbi: TestNbi, of: Case, { by, act, id }: Step): Promise<void> {
  const organization = of.organizations[by];
  if (act.kind === 'comes') {
    await nbi.putDevice({
      serialNumber: serialOf(of, by, act.at),
      organization: { id: organization, by: 'hand' },
      ...(act.waits && { enrolment: 'waiting' }),
    });
  } else if (act.kind === 'upgraded') {
    await nbi.putUpgrade({
      id: id as ResultId,
      campaignid: act.of === 'own' ? ruleIdIn(organization, act.id) : (act.id as RuleId),
      cpeid: cpeidOf(of, by, { of: 'own', at: act.at }),
      organization,
      status: act.status,
    });
  }
}

/** What comes by chance, and says nothing of anybody. */
function masked(text: string): string {
  return text
    .replace(/ferry_[0-9a-f]{20}_[A-Za-z0-9_-]{43}/g, 'TOKEN')
    .replace(/"(requestId|uploaded|number|created|modified)":"?[^",}]*"?/g, '"$1"')
    .replace(/\b[0-9a-f]{20}\b/g, 'TOKEN-ID')
    .replace(/\b(\d{15}-\d{6})-[0-9a-f]{16}\b/g, '$1');
}

/** An installation, and by what the admins of both organizations log in there. */
interface World {
  readonly nbi: TestNbi;
  readonly tokens: Readonly<Record<Side, string>>;
}

async function observe({ nbi, tokens }: World, by: Side, path: string, options: RequestOptions = {}) {
  const headers = { ...options.headers, Authorization: `Bearer ${tokens[by]}` };
  const reply = await nbi.call(path, { ...options, headers, as: null });
  const after = reply.headers.get('X-Next-After');
  const position = after === null ? null : Buffer.from(after, 'base64url').toString();
  const { body } = reply;
  return {
    status: reply.status,
    body: masked(body instanceof Uint8Array ? Buffer.from(body).toString() : JSON.stringify(body)),
    next: position === null ? null : masked(position.startsWith('[') ? position : (after ?? '')),
    type: reply.headers.get('Content-Type'),
    after,
  };
}

async function prepare(nbi: TestNbi, of: Case, pass: () => void): Promise<World> {
  const tokens: Partial<Record<Side, string>> = {};
  for (const side of SIDES) {
    const slug = slugOf(of, side);
    const id = of.organizations[side];
    pass();
    await nbi.organizations.add({ id, name: slug, slug }, byCommand('test'));
    // In one moment what is told of in two places comes in any order.
    pass();
    for (const role of ['viewer', 'admin'] as const) {
      await nbi.store
        .collection<UserDocument>(USERS)
        .put({ id: `${role}@${slug}`, role, organization: id, password: NO_PASSWORD, createdAtMs: 0 });
    }
    tokens[side] = (await nbi.users.tokens.create({ name: 'test', user: `admin@${slug}` }, null)).text;
  }
  return { nbi, tokens: tokens as Record<Side, string> };
}

/** Everything that north can list in the end, page by page. */
async function listings(world: World): Promise<unknown> {
  const seen: unknown[] = [];
  const storages = [
    'FirmwareStorage',
    'FirmwareResultStorage',
    'DeviceStorage',
    'UserStorage',
    'AuditStorage',
  ];
  for (const path of [...storages.map((name) => `/v1/dyn/${name}/.*?limit=2`), '/v1/images?limit=1']) {
    let after: string | null = null;
    do {
      const page: string = after === null ? path : `${path}&after=${encodeURIComponent(after)}`;
      const { after: next, ...observed } = await observe(world, 'north', page);
      seen.push(observed);
      after = next;
    } while (after !== null);
  }
  return seen;
}

test('what a user of one organization can observe does not depend on what is done in another', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const clock = () => nowMs;
  const [both, alone] = [await startNbi(t, { clock }), await startNbi(t, { clock })];
  for (const nbi of [both, alone]) {
    await nbi.call('/v1/images/shared.bin', {
      method: 'PUT',
      body: 'shared',
      headers: { 'Content-Type': 'application/octet-stream' },
    });
    const rule = { id: 'UPGRADE_1', file: 'shared.bin', condition: { productClass: 'HGW' }, priority: 1 };
    t.is((await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: rule })).status, 200);
  }
  let number = 0;
  const step: fc.Arbitrary<Step> = fc.record({
    by: fc.constantFrom(...SIDES),
    act: ACT,
    id: fc.uuid({ version: 4 }),
  });
  const counts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 90 }), async (steps) => {
      number++;
      const of: Case = {
        number,
        organizations: { north: randomUUID() as OrganizationId, south: randomUUID() as OrganizationId },
      };
      const begunMs = nowMs;
      const pass = () => {
        nowMs += STEP_MS;
      };
      const withSouth = await prepare(both, of, pass);
      nowMs = begunMs;
      const without = await prepare(alone, of, pass);
      for (const each of steps) {
        nowMs += STEP_MS;
        const worlds = each.by === 'north' ? [withSouth, without] : [withSouth];
        const request = requestOf(of, each.by, each.act);
        if (request === null) {
          for (const { nbi } of worlds) await happen(nbi, of, each);
          continue;
        }
        const seen = [];
        for (const world of worlds) {
          const { after: _, ...observed } = await observe(world, each.by, ...request);
          seen.push(observed);
        }
        const status = seen[0]?.status;
        counts.set(`${each.act.kind} ${status}`, (counts.get(`${each.act.kind} ${status}`) ?? 0) + 1);
        if (seen.length > 1) assertAlike(seen[0], seen[1], `${request[1].method} ${request[0]}`);
      }
      assertAlike(await listings(withSouth), await listings(without), 'in the end');
    }),
    { numRuns: CASES, includeErrorInReport: true, endOnFailure: true },
  );
  t.log(Object.fromEntries([...counts].sort()));
  t.true(
    [...counts.keys()].every((key) => !key.endsWith(' 500')),
    'nothing has failed',
  );
});

function assertAlike(one: unknown, other: unknown, what: string): void {
  const lines = [one, other].map((each) => (JSON.stringify(each, null, 1) ?? '').split('\n'));
  const [left = [], right = []] = lines;
  const at = left.findIndex((line, index) => line !== right[index]);
  if (at < 0 && left.length === right.length) return;
  const around = (of: readonly string[]) => of.slice(Math.max(0, at - 3), at + 2).join('\n');
  throw new Error(`${what}\nwith another: ${around(left)}\nalone: ${around(right)}`);
}
