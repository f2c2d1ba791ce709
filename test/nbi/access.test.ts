import test from 'ava';
import { DAY_MS } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { sendRaw, statusesOf } from '../support/raw-socket.js';
import { APIS } from './declared.js';
import { type OwnLogIns, outcomeAt, ownLogInsAt, ownSession, unusedLogIns } from './own-log-ins.js';
import { OPERATOR, ruleBody, startNbi, type TestNbi, VIEWER } from './support.js';

/** Who may call what; whatever else there is asks for nobody's name. */
const ROLES: Readonly<Record<string, 'viewer' | 'operator' | 'admin'>> = {
  'GET /v1/dyn/FirmwareStorage/{pattern}': 'viewer',
  'POST /v1/dyn/FirmwareStorage/{pattern}': 'operator',
  'PUT /v1/dyn/FirmwareStorage/{pattern}': 'operator',
  'DELETE /v1/dyn/FirmwareStorage/{pattern}': 'operator',
  'GET /v1/dyn/FirmwareResultStorage/{pattern}': 'viewer',
  'DELETE /v1/dyn/FirmwareResultStorage/{pattern}': 'operator',
  'GET /v1/dyn/DeviceStorage/{pattern}': 'viewer',
  'PUT /v1/dyn/DeviceStorage/{pattern}': 'operator',
  'DELETE /v1/dyn/DeviceStorage/{pattern}': 'operator',
  'GET /v1/dyn/OrganizationStorage/{pattern}': 'viewer',
  'POST /v1/dyn/OrganizationStorage/{pattern}': 'admin',
  'PUT /v1/dyn/OrganizationStorage/{pattern}': 'admin',
  'DELETE /v1/dyn/OrganizationStorage/{pattern}': 'admin',
  'GET /v1/dyn/CategoryStorage/{pattern}': 'viewer',
  'POST /v1/dyn/CategoryStorage/{pattern}': 'operator',
  'PUT /v1/dyn/CategoryStorage/{pattern}': 'operator',
  'DELETE /v1/dyn/CategoryStorage/{pattern}': 'operator',
  'GET /v1/dyn/BuildStorage/{pattern}': 'viewer',
  'POST /v1/dyn/BuildStorage/{pattern}': 'operator',
  'PUT /v1/dyn/BuildStorage/{pattern}': 'operator',
  'DELETE /v1/dyn/BuildStorage/{pattern}': 'operator',
  'GET /v1/dyn/CpeAuthStorage/{pattern}': 'operator',
  'POST /v1/dyn/CpeAuthStorage/{pattern}': 'admin',
  'DELETE /v1/dyn/CpeAuthStorage/{pattern}': 'admin',
  'GET /v1/dyn/UserStorage/{pattern}': 'admin',
  'POST /v1/dyn/UserStorage/{pattern}': 'admin',
  'PUT /v1/dyn/UserStorage/{pattern}': 'admin',
  'DELETE /v1/dyn/UserStorage/{pattern}': 'admin',
  'GET /v1/dyn/AuthStorage/{pattern}': 'admin',
  'POST /v1/dyn/AuthStorage/{pattern}': 'admin',
  'PUT /v1/dyn/AuthStorage/{pattern}': 'admin',
  'DELETE /v1/dyn/AuthStorage/{pattern}': 'admin',
  'GET /v1/dyn/TokenStorage/{pattern}': 'admin',
  'POST /v1/dyn/TokenStorage/{pattern}': 'admin',
  'DELETE /v1/dyn/TokenStorage/{pattern}': 'admin',
  'POST /v1/method/ChangePassword': 'viewer',
  'GET /v1/dyn/AuditStorage/{pattern}': 'admin',
  'GET /v1/dyn/FirmwareStorage/count.*': 'viewer',
  'POST /v1/dyn/FirmwareStorage/delete_objects': 'operator',
  'POST /v1/dyn/FirmwareStorage/delete_objects_by_id': 'operator',
  'GET /v1/dyn/FirmwareResultStorage/count.*': 'viewer',
  'POST /v1/dyn/FirmwareResultStorage/delete_objects': 'operator',
  'POST /v1/dyn/FirmwareResultStorage/delete_objects_by_id': 'operator',
  'GET /v1/dyn/DeviceStorage/count.*': 'viewer',
  'POST /v1/dyn/DeviceStorage/delete_objects': 'operator',
  'POST /v1/dyn/DeviceStorage/delete_objects_by_id': 'operator',
  'GET /v1/dyn/CpeDbService/count.*': 'viewer',
  'POST /v1/dyn/CpeDbService/delete_objects': 'operator',
  'POST /v1/dyn/CpeDbService/delete_objects_by_id': 'operator',
  'GET /v1/dyn/OrganizationStorage/count.*': 'viewer',
  'POST /v1/dyn/OrganizationStorage/delete_objects': 'admin',
  'POST /v1/dyn/OrganizationStorage/delete_objects_by_id': 'admin',
  'GET /v1/dyn/CategoryStorage/count.*': 'viewer',
  'POST /v1/dyn/CategoryStorage/delete_objects': 'operator',
  'POST /v1/dyn/CategoryStorage/delete_objects_by_id': 'operator',
  'GET /v1/dyn/BuildStorage/count.*': 'viewer',
  'POST /v1/dyn/BuildStorage/delete_objects': 'operator',
  'POST /v1/dyn/BuildStorage/delete_objects_by_id': 'operator',
  'GET /v1/dyn/CpeAuthStorage/count.*': 'operator',
  'POST /v1/dyn/CpeAuthStorage/delete_objects': 'admin',
  'POST /v1/dyn/CpeAuthStorage/delete_objects_by_id': 'admin',
  'GET /v1/dyn/UserStorage/count.*': 'admin',
  'POST /v1/dyn/UserStorage/delete_objects': 'admin',
  'POST /v1/dyn/UserStorage/delete_objects_by_id': 'admin',
  'GET /v1/dyn/AuthStorage/count.*': 'admin',
  'POST /v1/dyn/AuthStorage/delete_objects': 'admin',
  'POST /v1/dyn/AuthStorage/delete_objects_by_id': 'admin',
  'GET /v1/dyn/TokenStorage/count.*': 'admin',
  'POST /v1/dyn/TokenStorage/delete_objects': 'admin',
  'POST /v1/dyn/TokenStorage/delete_objects_by_id': 'admin',
  'GET /v1/dyn/AuditStorage/count.*': 'admin',
  'GET /v1/dyn/CpeDbService/{pattern}': 'viewer',
  'PUT /v1/dyn/CpeDbService/{pattern}': 'operator',
  'DELETE /v1/dyn/CpeDbService/{pattern}': 'operator',
  'POST /v1/method/ReadmitDevice': 'operator',
  'POST /v1/method/SendCNR': 'operator',
  'POST /v1/method/RestartRule': 'operator',
  'POST /v1/method/ApproveDevices': 'operator',
  'GET /v1/method/FreezeUpgrades': 'viewer',
  'POST /v1/method/FreezeUpgrades': 'operator',
  'POST /v1/method/ExplainRules': 'viewer',
  'POST /v1/method/MatchDevices': 'viewer',
  'GET /v1/images': 'viewer',
  'GET /v1/images/{name}': 'viewer',
  'PUT /v1/images/{name}': 'operator',
  'PATCH /v1/images/{name}': 'operator',
  'DELETE /v1/images/{name}': 'operator',
  'GET /v1/images/{name}/content': 'viewer',
  'POST /v1/images': 'operator',
  'PUT /v1/images/{name}/signature': 'operator',
  'DELETE /v1/images/{name}/signature': 'operator',
  'GET /v1/image-keys': 'viewer',
  'PUT /v1/image-keys/{name}': 'admin',
  'DELETE /v1/image-keys/{name}': 'admin',
  'GET /v1/uploads': 'viewer',
  'POST /v1/uploads': 'operator',
  'GET /v1/uploads/{id}': 'viewer',
  'PUT /v1/uploads/{id}': 'operator',
  'DELETE /v1/uploads/{id}': 'operator',
  'POST /v1/method/CollectImages': 'operator',
  'GET /v1/batches': 'viewer',
  'POST /v1/batches': 'operator',
  'GET /v1/batches/{id}': 'viewer',
  'DELETE /v1/batches/{id}': 'operator',
  'POST /v1/batches/{id}/cancel': 'operator',
  'POST /v1/batches/{id}/retry': 'operator',
  'GET /v1/batches/{id}/operations': 'viewer',
  'POST /v1/batches/{id}/operations/{cpeid}/cancel': 'operator',
  'GET /metrics': 'viewer',
  'GET /v1/sessions': 'viewer',
  'DELETE /v1/sessions/{id}': 'viewer',
  'GET /api/v1/firmware-upgrader/category/': 'viewer',
  'POST /api/v1/firmware-upgrader/category/': 'operator',
  'GET /api/v1/firmware-upgrader/category/{id}/': 'viewer',
  'PUT /api/v1/firmware-upgrader/category/{id}/': 'operator',
  'PATCH /api/v1/firmware-upgrader/category/{id}/': 'operator',
  'DELETE /api/v1/firmware-upgrader/category/{id}/': 'operator',
  'GET /api/v1/firmware-upgrader/build/': 'viewer',
  'POST /api/v1/firmware-upgrader/build/': 'operator',
  'GET /api/v1/firmware-upgrader/build/{id}/': 'viewer',
  'PUT /api/v1/firmware-upgrader/build/{id}/': 'operator',
  'PATCH /api/v1/firmware-upgrader/build/{id}/': 'operator',
  'DELETE /api/v1/firmware-upgrader/build/{id}/': 'operator',
  'GET /api/v1/firmware-upgrader/build/{build}/image/': 'viewer',
  'POST /api/v1/firmware-upgrader/build/{build}/image/': 'operator',
  'GET /api/v1/firmware-upgrader/build/{build}/image/{id}/': 'viewer',
  'DELETE /api/v1/firmware-upgrader/build/{build}/image/{id}/': 'operator',
  'GET /api/v1/firmware-upgrader/build/{build}/image/{id}/download/': 'viewer',
  'GET /api/v1/firmware-upgrader/build/{build}/upgrade/': 'viewer',
  'POST /api/v1/firmware-upgrader/build/{build}/upgrade/': 'operator',
  'GET /api/v1/firmware-upgrader/batch-upgrade-operation/': 'viewer',
  'GET /api/v1/firmware-upgrader/batch-upgrade-operation/{id}/': 'viewer',
  'GET /api/v1/firmware-upgrader/upgrade-operation/': 'viewer',
  'GET /api/v1/firmware-upgrader/upgrade-operation/{id}': 'viewer',
  'GET /api/v1/firmware-upgrader/upgrade-operation/{id}/': 'viewer',
  'POST /api/v1/firmware-upgrader/upgrade-operation/{id}/cancel/': 'operator',
  'GET /api/v1/firmware-upgrader/device/{device}/upgrade-operation/': 'viewer',
  'GET /api/v1/firmware-upgrader/device/{device}/firmware/': 'viewer',
  'PUT /api/v1/firmware-upgrader/device/{device}/firmware/': 'operator',
  'PATCH /api/v1/firmware-upgrader/device/{device}/firmware/': 'operator',
  'DELETE /api/v1/firmware-upgrader/device/{device}/firmware/': 'operator',
  'GET /devices/{device}/api/common/1.0': 'viewer',
  'GET /devices/{device}/api/npm.system_update/2.0': 'viewer',
  'GET /devices/{device}/api/common/1.0/info': 'viewer',
  'POST /devices/{device}/api/common/1.0/logout': 'viewer',
  'GET /devices/{device}/api/npm.system_update/2.0/images': 'viewer',
  'GET /devices/{device}/api/npm.system_update/2.0/images/items/{id}': 'viewer',
  'DELETE /devices/{device}/api/npm.system_update/2.0/images/items/{id}': 'operator',
  'POST /devices/{device}/api/npm.system_update/2.0/images/upload': 'operator',
  'POST /devices/{device}/api/npm.system_update/2.0/images/fetch': 'operator',
  'GET /devices/{device}/api/npm.system_update/2.0/update': 'viewer',
  'POST /devices/{device}/api/npm.system_update/2.0/update/init': 'operator',
  'POST /devices/{device}/api/npm.system_update/2.0/update/start': 'operator',
  'POST /devices/{device}/api/npm.system_update/2.0/update/reset': 'operator',
  'POST /sc_cloud/logout': 'viewer',
  'GET /sc_cloud/scapi/get-all-firmwares': 'viewer',
  'GET /sc_cloud/scapi/get-devs': 'viewer',
  'GET /sc_cloud/scapi/get-dev': 'viewer',
  'POST /sc_cloud/uploadFirmware': 'admin',
  'POST /sc_cloud/firmware/add': 'admin',
  'POST /sc_cloud/upgrade/start': 'admin',
  'GET /devices/{device}/api': 'viewer',
  'GET /devices/{device}/api/firmware': 'viewer',
  'DELETE /devices/{device}/api/authentication': 'viewer',
  'GET /devices/{device}/api/authentication/login_methods': 'viewer',
  'GET /devices/{device}/api/authentication/types': 'viewer',
  'GET /devices/{device}/api/firmware/slots': 'viewer',
  'GET /devices/{device}/api/firmware/slots/{id}': 'viewer',
  'DELETE /devices/{device}/api/firmware/slots/{id}': 'operator',
  'POST /devices/{device}/api/firmware/test': 'operator',
  'POST /devices/{device}/api/firmware/upgrade': 'operator',
  'POST /devices/{device}/api/upload/firmware': 'operator',
  'GET /devices/{device}/api/firmware/fetch': 'viewer',
  'POST /devices/{device}/api/firmware/fetch': 'operator',
  'GET /devices/{device}/api/firmware/fetch/{key}': 'viewer',
  'DELETE /devices/{device}/api/firmware/fetch/{key}': 'operator',
};
const OPEN: ReadonlySet<string> = new Set([
  'GET /v1/schemas/rule-file.json',
  'GET /v1/schemas/rule-test.json',
  'GET /v1/openapi.json',
  'GET /healthz',
  'GET /livez',
  'GET /readyz',
  'POST /v1/session',
  'GET /',
  'GET /pages/{asset}',
  'GET /admin/login/',
  'GET /api/v1/docs/',
  'GET /api/v1/docs/{asset}',
  'GET /api/v1/docs.json',
  'GET /api/v1/docs.yaml',
  'GET /api/v1/redoc/',
  'GET /v1/doc',
  'GET /v1/doc/swagger.json',
  'POST /admin/login/',
  'POST /admin/logout/',
  'POST /api/v1/users/token/',
  'GET /devices/{device}/api/common/1.0/services',
  'GET /devices/{device}/api/common/1.0/auth_info',
  'POST /devices/{device}/api/common/1.0/login',
  'POST /devices/{device}/api/common/1.0/oauth/token',
  'POST /sc_cloud/login',
  'GET /devices/{device}/api/authentication',
]);
/** Of the cookie of a session alone: who comes by a password has none. */
const BY_SESSION: ReadonlySet<string> = new Set(['GET /v1/session', 'DELETE /v1/session']);
const ADMIN = 'root:a test password';
const RANK = { nobody: 0, viewer: 1, operator: 2, admin: 3 } as const;
const CREDENTIALS = { nobody: null, viewer: VIEWER, operator: OPERATOR, admin: ADMIN } as const;

const routes = APIS.flatMap((api) => api.routes);
const UPGRADER = '/api/v1/firmware-upgrader/';
const NO_SUCH_ID = '0b8b1f0e-9e0b-4c51-9d43-0e5f2f6b7a11';
const pathOf = (path: string) =>
  path.startsWith(UPGRADER)
    ? path.replaceAll(/\{\w+\}/g, NO_SUCH_ID)
    : path.replace('{pattern}', 'none').replace('{name}', 'none.bin');

/** As the firmware upgrader takes what the other APIs take otherwise: a session by cookies of other names. */
function asUpgrader({ Cookie = '', 'X-CSRF-Token': token = '', ...others }: As): As {
  const [, session] = /^ferry-session=(.*)$/.exec(Cookie) ?? [];
  if (session === undefined) return others;
  return { ...others, Cookie: `sessionid=${session}; csrftoken=${token}`, 'X-CSRFToken': token };
}

async function startWithAdmin(t: Parameters<typeof startNbi>[0]): Promise<TestNbi> {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  return nbi;
}

test('every route lets in whom it is for, and nobody below', async (t) => {
  const nbi = await startWithAdmin(t);
  const called = new Set<string>();
  const tokens = {
    nobody: {},
    viewer: (await tokenOf(nbi, { user: VIEWER.split(':')[0] })).as,
    operator: (await tokenOf(nbi, { user: OPERATOR.split(':')[0] })).as,
    admin: (await tokenOf(nbi, {})).as,
  };
  for (const { method, path, changes = false } of routes) {
    const name = `${method} ${path}`;
    called.add(name);
    const needed = ROLES[name];
    if (needed === undefined) {
      t.true(OPEN.has(name) || BY_SESSION.has(name), `${name} is open, and not known to be`);
    }
    for (const role of ['nobody', 'viewer', 'operator', 'admin'] as const) {
      const hasBody = method === 'POST' || method === 'PUT';
      const own = ownLogInsAt(path);
      const reply = await nbi.call(pathOf(path), {
        method,
        // The firmware upgrader lets nobody in by a password, and others by sessions of their own.
        ...(path.startsWith(UPGRADER)
          ? { as: null, headers: tokens[role] }
          : own === null
            ? { as: CREDENTIALS[role] }
            : { as: null, headers: await headersAt(nbi, own, CREDENTIALS[role]) }),
        ...(hasBody && { json: {} }),
      });
      const { status } = reply;
      if (BY_SESSION.has(name)) {
        t.is(status, role === 'nobody' ? 401 : 404, `${name} by ${role}`);
        continue;
      }
      // A log-in by GET says so to who shows no password by which he could be let in.
      if (needed === undefined && changes) continue;
      const isIn = RANK[role] >= (needed === undefined ? 0 : RANK[needed]);
      const expected = isIn ? 'let in' : role === 'nobody' ? '401' : '403';
      t.is(outcomeAt(own, reply), expected, `${name} by ${role}: ${status}`);
    }
  }
  t.deepEqual(
    Object.keys(ROLES).filter((name) => !called.has(name)),
    [],
  );
});

/** What somebody sends to an API that has sessions of its own; nothing where he is nobody. */
async function headersAt(nbi: TestNbi, own: OwnLogIns, credentials: string | null): Promise<As> {
  if (credentials === null) return {};
  const { Cookie } = await ownSession(nbi, own, credentials.split(':')[0] ?? '');
  return { Cookie };
}

type As = Readonly<Record<string, string>>;

async function tokenOf(nbi: TestNbi, body: Readonly<Record<string, unknown>>) {
  const json = { name: 'matrix', user: 'root', ...body };
  const { body: answer } = await nbi.call('/v1/dyn/TokenStorage/.*', { method: 'POST', json, as: ADMIN });
  const { id, token } = (answer as { details: { id: string; token: string } }).details;
  return { id, as: { Authorization: `Bearer ${token}` } };
}

async function sessionOf(nbi: TestNbi, credentials: string) {
  const [name, password] = credentials.split(':');
  const reply = await nbi.call('/v1/session', { method: 'POST', as: null, json: { name, password } });
  const { csrfToken = '' } = (reply.body as { details: { csrfToken?: string } }).details;
  const [cookie = ''] = (reply.headers.get('Set-Cookie') ?? '').split(';');
  return { Cookie: cookie, 'X-CSRF-Token': csrfToken };
}

/** Of a route that ends sessions, those of this test are not to be the ones. */
const ENDS_SESSIONS: ReadonlySet<string> = new Set(['DELETE /v1/session']);

test('tokens and sessions let in as far as they go, and none that is over, on every route', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const nbi = await startNbi(t, { clock: () => nowMs });
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const expired = await tokenOf(nbi, { expiresAt: '2026-01-01T00:10:00Z' });
  const ended = await sessionOf(nbi, ADMIN);
  nowMs += DAY_MS;
  const revoked = await tokenOf(nbi, {});
  await nbi.call(`/v1/dyn/TokenStorage/${revoked.id}`, { method: 'DELETE', as: ADMIN });
  const loggedOut = await sessionOf(nbi, ADMIN);
  await nbi.call('/v1/session', { method: 'DELETE', as: null, headers: loggedOut });
  const { Cookie: _, ...withoutCookie } = await sessionOf(nbi, ADMIN);
  const cases: readonly (readonly [string, As, keyof typeof RANK | 'kept out'])[] = [
    ['a token limited to viewing', (await tokenOf(nbi, { role: 'viewer' })).as, 'viewer'],
    ['a token limited to operating', (await tokenOf(nbi, { role: 'operator' })).as, 'operator'],
    ['a token of an admin', (await tokenOf(nbi, {})).as, 'admin'],
    ['an expired token', expired.as, 'kept out'],
    ['a revoked token', revoked.as, 'kept out'],
    ['a session of a viewer', await sessionOf(nbi, VIEWER), 'viewer'],
    ['a session of an operator', await sessionOf(nbi, OPERATOR), 'operator'],
    ['a session of an admin', await sessionOf(nbi, ADMIN), 'admin'],
    ['a session that is over', ended, 'kept out'],
    ['a session that was logged out', loggedOut, 'kept out'],
    ['a cookie of nobody', { Cookie: `ferry-session=${'A'.repeat(43)}`, ...withoutCookie }, 'kept out'],
    ['the token of a session without its cookie', withoutCookie, 'kept out'],
  ];
  for (const { method, path, role } of routes) {
    const name = `${method} ${path}`;
    if (ENDS_SESSIONS.has(name) || ownLogInsAt(path) !== null) continue;
    for (const [title, headers, reach] of cases) {
      const hasBody = method === 'POST' || method === 'PUT';
      const { status } = await nbi.call(pathOf(path), {
        method,
        as: null,
        headers: path.startsWith(UPGRADER) ? asUpgrader(headers) : headers,
        ...(hasBody && { json: {} }),
      });
      const isOut = status === 401 || status === 429;
      // Of open routes some have words of their own for who they do not know.
      if (role === null) continue;
      const expected = reach === 'kept out' ? 'out' : RANK[reach] >= RANK[role] ? 'in' : 'forbidden';
      t.is(isOut ? 'out' : status === 403 ? 'forbidden' : 'in', expected, `${name} by ${title}: ${status}`);
    }
  }
});

test('sessions of an API of its own let in there as far as their users go, and none that is over, of another API or of a page', async (t) => {
  const nbi = await startWithAdmin(t);
  t.deepEqual(unusedLogIns(routes.map(({ path }) => path)), []);
  const page = (await sessionOf(nbi, ADMIN)).Cookie.split('=')[1] ?? '';
  for (const { method, path, role } of routes) {
    const own = ownLogInsAt(path);
    if (own === null || role === null) continue;
    const hasBody = method === 'POST' || method === 'PUT';
    const outcome = async (headers: As) =>
      outcomeAt(
        own,
        await nbi.call(pathOf(path), { method, as: null, headers, ...(hasBody && { json: {} }) }),
      );
    const name = `${method} ${path}`;
    for (const each of ['viewer', 'operator', 'admin'] as const) {
      const expected = RANK[each] >= RANK[role] ? 'let in' : '403';
      t.is(await outcome(await headersAt(nbi, own, CREDENTIALS[each])), expected, `${name} by ${each}`);
    }
    const over = await ownSession(nbi, own, 'root');
    await nbi.sessions.of(own.kind).endOf(over.secret, byCommand('test'));
    t.is(await outcome({ Cookie: over.Cookie }), '401', `${name} by a session that is over`);
    for (const kind of ['firmware-slots', 'system-update', 'sc-cloud'] as const) {
      if (kind === own.kind) continue;
      const { secret } = await ownSession(nbi, { ...own, kind }, 'root');
      t.is(await outcome({ Cookie: `${own.cookie}=${secret}` }), '401', `${name} by one of ${kind}`);
    }
    t.is(await outcome({ Cookie: `${own.cookie}=${page}` }), '401', `${name} by one of a page`);
  }
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as const;
/** Those that routes have. */
const ROUTED_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
/** One of each way to write a path that routers take for the same, which are tried with every method; the others with those that routes have. */
const ALIKE: ReadonlySet<string> = new Set([
  '/v1/dyn/FirmwareStorage/.*?all=true',
  '//v1/dyn/FirmwareStorage/.*?all=true',
  '/v1/dyn/FirmwareStorage/.*/?all=true',
  '/v1/dyn/firmwarestorage/.*?all=true',
  '/%76%31/dyn/FirmwareStorage/.*?all=true',
  'http://ferry/v1/dyn/FirmwareStorage/.*?all=true',
  '/metrics',
  '*',
]);
const SPELLINGS: readonly string[] = [
  '/v1/dyn/FirmwareStorage/.*?all=true',
  '//v1/dyn/FirmwareStorage/.*?all=true',
  '/v1//dyn/FirmwareStorage/.*?all=true',
  '/v1/dyn/FirmwareStorage//.*?all=true',
  '/v1/dyn/FirmwareStorage/.*/?all=true',
  '/V1/DYN/FIRMWARESTORAGE/.*?all=true',
  '/v1/dyn/firmwarestorage/.*?all=true',
  '/v1/./dyn/FirmwareStorage/.*?all=true',
  '/v1/x/../dyn/FirmwareStorage/.*?all=true',
  '/v1/dyn/DeviceStorage/../FirmwareStorage/.*?all=true',
  '/%76%31/dyn/FirmwareStorage/.*?all=true',
  '/v1/dyn/%46irmwareStorage/.*?all=true',
  '/v1/dyn/FirmwareStorage/%2e%2a?all=true',
  '/v1%2fdyn%2fFirmwareStorage%2f.*?all=true',
  '/v1/dyn/FirmwareStorage%2f.*?all=true',
  '/v1\\dyn\\FirmwareStorage\\.*?all=true',
  '/v1/dyn/FirmwareStorage/.*;x?all=true',
  '/v1;x/dyn/FirmwareStorage/.*?all=true',
  '/v1/dyn/FirmwareStorage/.*%00?all=true',
  '/v1/dyn/FirmwareStorage/HELD?all=true',
  '/healthz/../v1/dyn/FirmwareStorage/.*?all=true',
  '/healthz/..%2fv1/dyn/FirmwareStorage/.*?all=true',
  '/healthz;/v1/dyn/FirmwareStorage/.*?all=true',
  '/healthz?/v1/dyn/FirmwareStorage/.*&all=true',
  '/v1/openapi.json/../dyn/FirmwareStorage/.*?all=true',
  '/v1/schemas/rule-file.json/../../dyn/FirmwareStorage/.*?all=true',
  'http://ferry/v1/dyn/FirmwareStorage/.*?all=true',
  'http://other.example.net/v1/dyn/FirmwareStorage/.*?all=true',
  'v1/dyn/FirmwareStorage/.*?all=true',
  '/metrics',
  '/metrics/',
  '//metrics',
  '/%6detrics',
  '/METRICS',
  '*',
];

/** Headers by which other software lets a request be another one. */
const DISGUISES: readonly string[] = [
  'X-HTTP-Method-Override: DELETE',
  'X-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'X-Original-URL: /v1/dyn/FirmwareStorage/.*?all=true',
  'X-Rewrite-URL: /v1/dyn/FirmwareStorage/.*?all=true',
  'X-Forwarded-User: api',
  'X-Remote-User: root',
  'Proxy-Authorization: Basic YXBpOmNvcnJlY3QgaG9yc2U=',
  'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
  'Content-Length: 2\r\nTransfer-Encoding: chunked',
];

const basic = (credentials: string) =>
  `Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
/** Of the rule's own, and of /metrics. */
const SECRET = /HELD|ferry_nbi_request/;

async function startWithRule(t: Parameters<typeof startNbi>[0]) {
  const nbi = await startNbi(t);
  t.is(
    (await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: ruleBody('HELD') })).status,
    200,
  );
  const rules = async () => (await nbi.call('/v1/dyn/FirmwareStorage/.*')).body;
  return { nbi, rules, before: await rules() };
}

test('no spelling of a path by a method that routes have, nor any way to write it by other methods, shows anything to somebody without a name, or lets a viewer change anything', async (t) => {
  const { nbi, rules, before } = await startWithRule(t);
  t.true([...ALIKE].every((target) => SPELLINGS.includes(target)));
  for (const target of SPELLINGS) {
    const methods = ALIKE.has(target) ? METHODS : ROUTED_METHODS;
    const answers = await Promise.all(
      methods.flatMap((method) =>
        [null, VIEWER].map(async (as) => {
          const head = `${method} ${target} HTTP/1.1\r\nHost: ferry\r\nConnection: close\r\n`;
          const body = 'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
          return {
            method,
            as,
            answer: await sendRaw(nbi.url, `${head}${as === null ? '' : basic(as)}${body}`),
          };
        }),
      ),
    );
    for (const { method, as, answer } of answers) {
      const what = `${as} ${method} ${target}: ${answer.slice(0, 60)}`;
      if (as === null) t.notRegex(answer.slice(answer.indexOf('\r\n\r\n')), SECRET, what);
      const isDone = statusesOf(answer).some((status) => status < 300);
      if (as === VIEWER && isDone) t.true(method === 'GET' || method === 'HEAD', what);
      if (as === null && isDone) t.regex(target, /healthz|openapi|rule-file/, what);
    }
  }
  t.deepEqual(await rules(), before);
});

test('no header makes a request another one, or another user’s', async (t) => {
  const { nbi, rules, before } = await startWithRule(t);
  for (const disguise of DISGUISES) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      for (const as of ['', basic(VIEWER)]) {
        const head = `${method} /v1/dyn/FirmwareStorage/.*?all=true HTTP/1.1\r\nHost: ferry\r\n${as}${disguise}\r\n`;
        const isFramed = /Content-Length/.test(disguise);
        const answer = await sendRaw(
          nbi.url,
          `${head}Connection: close\r\n${isFramed ? '\r\n0\r\n\r\n' : '\r\n'}`,
        );
        const isDone = statusesOf(answer).some((status) => status < 300);
        t.true(!isDone || (method === 'GET' && as !== ''), `${method} ${disguise}: ${answer.slice(0, 60)}`);
      }
    }
  }
  for (const both of [
    `${basic(VIEWER)}${basic('nobody:nothing')}`,
    `${basic('nobody:nothing')}${basic(OPERATOR)}`,
  ]) {
    const head = `DELETE /v1/dyn/FirmwareStorage/.*?all=true HTTP/1.1\r\nHost: ferry\r\nConnection: close\r\n`;
    t.true(statusesOf(await sendRaw(nbi.url, `${head}${both}\r\n`)).every((status) => status >= 400));
  }
  const tunnel = await sendRaw(nbi.url, `CONNECT ferry:80 HTTP/1.1\r\nHost: ferry\r\n${basic(OPERATOR)}\r\n`);
  t.deepEqual(
    statusesOf(tunnel).filter((status) => status < 300),
    [],
  );
  t.deepEqual(await rules(), before);
});

/** What a page of another site can have a browser send without being asked first. */
const SIMPLE = [
  'text/plain',
  'text/plain; application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
];

/** What forms of pages are answered that show no token: one is refused, and who has not logged in is led to the first page. */
const OF_PAGES: Readonly<Record<string, number>> = {
  'POST /admin/login/': 403,
  'POST /admin/logout/': 200,
  // It takes forms of scripts, and no user is named in this one.
  'POST /api/v1/users/token/': 400,
};

test('what a browser sends for another site is refused on every route, and no answer allows it another', async (t) => {
  const { nbi, rules, before } = await startWithRule(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const body = JSON.stringify(ruleBody('HELD', { enabled: false }));
  const headers = { Origin: 'https://evil.example.net', 'Sec-Fetch-Site': 'cross-site' };
  for (const { method, path, role, body: kind } of routes) {
    const own = ownLogInsAt(path);
    for (const contentType of kind === undefined ? [] : SIMPLE) {
      const answer = await nbi.call(pathOf(path), {
        method,
        body,
        as: ADMIN,
        headers: { ...headers, 'Content-Type': contentType },
      });
      t.is(answer.status, 403, `${method} ${path} ${contentType}`);
      // Nor is it what any route takes, where a browser says nothing of where it comes from.
      const unsaid = await nbi.call(pathOf(path), {
        method,
        body,
        as: ADMIN,
        headers: { 'Content-Type': contentType },
      });
      if (own !== null) {
        // Who shows a password has shown nothing there, and by what forms of scripts one logs in each says by itself.
        const isTaken = kind?.content[contentType.split(';')[0] ?? ''] !== undefined;
        // There is no such CPE, which is told before a body comes.
        if (own.takesBasic === true && role !== null) t.is(unsaid.status, 404, `${method} ${path}`);
        else if (role !== null) t.is(outcomeAt(own, unsaid), '401', `${method} ${path} ${contentType}`);
        else t.is(unsaid.status === 415, !isTaken, `${method} ${path} ${contentType}`);
        continue;
      }
      const isForm =
        kind?.content['multipart/form-data'] !== undefined && contentType.startsWith('multipart/');
      const ofPage = kind?.content[contentType] === undefined ? undefined : OF_PAGES[`${method} ${path}`];
      // Forms are for scripts as well; every browser says where one comes from.
      const taken = ofPage ?? (isForm ? 400 : 415);
      // Who shows a password has shown nothing there.
      const showsNothing = path.startsWith(UPGRADER) || ownLogInsAt(path) !== null;
      const expected = showsNothing ? 401 : taken;
      t.is(unsaid.status, expected, `${method} ${path} ${contentType}`);
    }
    const asked = {
      ...headers,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'authorization',
    };
    for (const [each, more] of [
      ['OPTIONS', asked],
      ['GET', headers],
    ] as const) {
      const answer = await nbi.call(pathOf(path), { method: each, headers: more });
      const allowing = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));
      t.deepEqual(allowing, [], `${each} ${path}`);
    }
  }
  t.deepEqual(await rules(), before);
});
