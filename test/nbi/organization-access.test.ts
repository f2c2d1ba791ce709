import test from 'ava';
import { byCommand } from '../../events/index.js';
import { ROLES } from '../../nbi/users/user.js';
import { APIS } from './declared.js';
import { startUpgrader } from './firmware-upgrader/support.js';
import { outcomeAt, ownLogInsAt, ownSession, unusedLogIns } from './own-log-ins.js';
import type { Reply } from './support.js';
import { startWithTwo } from './two-organizations.js';

type Concern = 'organizations' | 'installation' | 'everyone';

/** What each route is about: whether users of an organization may call it. A new one has to say so here, too. */
const CONCERNS: Readonly<Record<Concern, readonly string[]>> = {
  organizations: [
    'GET /v1/dyn/FirmwareStorage/{pattern}',
    'POST /v1/dyn/FirmwareStorage/{pattern}',
    'PUT /v1/dyn/FirmwareStorage/{pattern}',
    'DELETE /v1/dyn/FirmwareStorage/{pattern}',
    'GET /v1/dyn/FirmwareResultStorage/{pattern}',
    'DELETE /v1/dyn/FirmwareResultStorage/{pattern}',
    'GET /v1/dyn/DeviceStorage/{pattern}',
    'DELETE /v1/dyn/DeviceStorage/{pattern}',
    'GET /v1/dyn/UserStorage/{pattern}',
    'POST /v1/dyn/UserStorage/{pattern}',
    'PUT /v1/dyn/UserStorage/{pattern}',
    'DELETE /v1/dyn/UserStorage/{pattern}',
    'GET /v1/dyn/AuthStorage/{pattern}',
    'POST /v1/dyn/AuthStorage/{pattern}',
    'PUT /v1/dyn/AuthStorage/{pattern}',
    'DELETE /v1/dyn/AuthStorage/{pattern}',
    'GET /v1/dyn/TokenStorage/{pattern}',
    'POST /v1/dyn/TokenStorage/{pattern}',
    'DELETE /v1/dyn/TokenStorage/{pattern}',
    'GET /v1/dyn/OrganizationStorage/{pattern}',
    'PUT /v1/dyn/OrganizationStorage/{pattern}',
    'GET /v1/dyn/CategoryStorage/{pattern}',
    'POST /v1/dyn/CategoryStorage/{pattern}',
    'PUT /v1/dyn/CategoryStorage/{pattern}',
    'DELETE /v1/dyn/CategoryStorage/{pattern}',
    'GET /v1/dyn/BuildStorage/{pattern}',
    'POST /v1/dyn/BuildStorage/{pattern}',
    'PUT /v1/dyn/BuildStorage/{pattern}',
    'DELETE /v1/dyn/BuildStorage/{pattern}',
    'GET /v1/dyn/AuditStorage/{pattern}',
    'GET /v1/dyn/FirmwareStorage/count.*',
    'POST /v1/dyn/FirmwareStorage/delete_objects',
    'POST /v1/dyn/FirmwareStorage/delete_objects_by_id',
    'GET /v1/dyn/FirmwareResultStorage/count.*',
    'POST /v1/dyn/FirmwareResultStorage/delete_objects',
    'POST /v1/dyn/FirmwareResultStorage/delete_objects_by_id',
    'GET /v1/dyn/DeviceStorage/count.*',
    'POST /v1/dyn/DeviceStorage/delete_objects',
    'POST /v1/dyn/DeviceStorage/delete_objects_by_id',
    'GET /v1/dyn/CpeDbService/count.*',
    'POST /v1/dyn/CpeDbService/delete_objects',
    'POST /v1/dyn/CpeDbService/delete_objects_by_id',
    'GET /v1/dyn/OrganizationStorage/count.*',
    'GET /v1/dyn/CategoryStorage/count.*',
    'POST /v1/dyn/CategoryStorage/delete_objects',
    'POST /v1/dyn/CategoryStorage/delete_objects_by_id',
    'GET /v1/dyn/BuildStorage/count.*',
    'POST /v1/dyn/BuildStorage/delete_objects',
    'POST /v1/dyn/BuildStorage/delete_objects_by_id',
    'GET /v1/dyn/UserStorage/count.*',
    'POST /v1/dyn/UserStorage/delete_objects',
    'POST /v1/dyn/UserStorage/delete_objects_by_id',
    'GET /v1/dyn/AuthStorage/count.*',
    'POST /v1/dyn/AuthStorage/delete_objects',
    'POST /v1/dyn/AuthStorage/delete_objects_by_id',
    'GET /v1/dyn/TokenStorage/count.*',
    'POST /v1/dyn/TokenStorage/delete_objects',
    'POST /v1/dyn/TokenStorage/delete_objects_by_id',
    'GET /v1/dyn/AuditStorage/count.*',
    'GET /v1/dyn/CpeDbService/{pattern}',
    'DELETE /v1/dyn/CpeDbService/{pattern}',
    'POST /v1/method/SendCNR',
    'POST /v1/method/RestartRule',
    'POST /v1/method/ApproveDevices',
    'GET /v1/method/FreezeUpgrades',
    'POST /v1/method/FreezeUpgrades',
    'POST /v1/method/ExplainRules',
    'POST /v1/method/MatchDevices',
    'POST /v1/method/ReadmitDevice',
    'GET /v1/images',
    'GET /v1/images/{name}',
    'PUT /v1/images/{name}',
    'PATCH /v1/images/{name}',
    'DELETE /v1/images/{name}',
    'GET /v1/images/{name}/content',
    'POST /v1/images',
    'PUT /v1/images/{name}/signature',
    'DELETE /v1/images/{name}/signature',
    'GET /v1/image-keys',
    'PUT /v1/image-keys/{name}',
    'DELETE /v1/image-keys/{name}',
    'GET /v1/uploads',
    'POST /v1/uploads',
    'GET /v1/uploads/{id}',
    'PUT /v1/uploads/{id}',
    'DELETE /v1/uploads/{id}',
    'POST /v1/method/CollectImages',
    'GET /v1/batches',
    'POST /v1/batches',
    'GET /v1/batches/{id}',
    'DELETE /v1/batches/{id}',
    'POST /v1/batches/{id}/cancel',
    'POST /v1/batches/{id}/retry',
    'GET /v1/batches/{id}/operations',
    'POST /v1/batches/{id}/operations/{cpeid}/cancel',
    'GET /v1/sessions',
    'DELETE /v1/sessions/{id}',
    'GET /api/v1/firmware-upgrader/category/',
    'POST /api/v1/firmware-upgrader/category/',
    'GET /api/v1/firmware-upgrader/category/{id}/',
    'PUT /api/v1/firmware-upgrader/category/{id}/',
    'PATCH /api/v1/firmware-upgrader/category/{id}/',
    'DELETE /api/v1/firmware-upgrader/category/{id}/',
    'GET /api/v1/firmware-upgrader/build/',
    'POST /api/v1/firmware-upgrader/build/',
    'GET /api/v1/firmware-upgrader/build/{id}/',
    'PUT /api/v1/firmware-upgrader/build/{id}/',
    'PATCH /api/v1/firmware-upgrader/build/{id}/',
    'DELETE /api/v1/firmware-upgrader/build/{id}/',
    'GET /api/v1/firmware-upgrader/build/{build}/image/',
    'POST /api/v1/firmware-upgrader/build/{build}/image/',
    'GET /api/v1/firmware-upgrader/build/{build}/image/{id}/',
    'DELETE /api/v1/firmware-upgrader/build/{build}/image/{id}/',
    'GET /api/v1/firmware-upgrader/build/{build}/image/{id}/download/',
    'GET /api/v1/firmware-upgrader/build/{build}/upgrade/',
    'POST /api/v1/firmware-upgrader/build/{build}/upgrade/',
    'GET /api/v1/firmware-upgrader/batch-upgrade-operation/',
    'GET /api/v1/firmware-upgrader/batch-upgrade-operation/{id}/',
    'GET /api/v1/firmware-upgrader/upgrade-operation/',
    'GET /api/v1/firmware-upgrader/upgrade-operation/{id}',
    'GET /api/v1/firmware-upgrader/upgrade-operation/{id}/',
    'POST /api/v1/firmware-upgrader/upgrade-operation/{id}/cancel/',
    'GET /api/v1/firmware-upgrader/device/{device}/upgrade-operation/',
    'GET /api/v1/firmware-upgrader/device/{device}/firmware/',
    'PUT /api/v1/firmware-upgrader/device/{device}/firmware/',
    'PATCH /api/v1/firmware-upgrader/device/{device}/firmware/',
    'DELETE /api/v1/firmware-upgrader/device/{device}/firmware/',
    'GET /devices/{device}/api/common/1.0',
    'GET /devices/{device}/api/npm.system_update/2.0',
    'GET /devices/{device}/api/common/1.0/info',
    'GET /devices/{device}/api/npm.system_update/2.0/images',
    'GET /devices/{device}/api/npm.system_update/2.0/images/items/{id}',
    'DELETE /devices/{device}/api/npm.system_update/2.0/images/items/{id}',
    'POST /devices/{device}/api/npm.system_update/2.0/images/upload',
    'POST /devices/{device}/api/npm.system_update/2.0/images/fetch',
    'GET /devices/{device}/api/npm.system_update/2.0/update',
    'POST /devices/{device}/api/npm.system_update/2.0/update/init',
    'POST /devices/{device}/api/npm.system_update/2.0/update/start',
    'POST /devices/{device}/api/npm.system_update/2.0/update/reset',
    'GET /sc_cloud/scapi/get-all-firmwares',
    'GET /sc_cloud/scapi/get-devs',
    'GET /sc_cloud/scapi/get-dev',
    'POST /sc_cloud/uploadFirmware',
    'POST /sc_cloud/firmware/add',
    'POST /sc_cloud/upgrade/start',
    'GET /devices/{device}/api',
    'GET /devices/{device}/api/firmware',
    'DELETE /devices/{device}/api/authentication',
    'GET /devices/{device}/api/authentication/login_methods',
    'GET /devices/{device}/api/authentication/types',
    'GET /devices/{device}/api/firmware/slots',
    'GET /devices/{device}/api/firmware/slots/{id}',
    'DELETE /devices/{device}/api/firmware/slots/{id}',
    'POST /devices/{device}/api/firmware/test',
    'POST /devices/{device}/api/firmware/upgrade',
    'POST /devices/{device}/api/upload/firmware',
    'GET /devices/{device}/api/firmware/fetch',
    'POST /devices/{device}/api/firmware/fetch',
    'GET /devices/{device}/api/firmware/fetch/{key}',
    'DELETE /devices/{device}/api/firmware/fetch/{key}',
  ],
  installation: [
    'PUT /v1/dyn/DeviceStorage/{pattern}',
    'GET /v1/dyn/CpeAuthStorage/{pattern}',
    'POST /v1/dyn/CpeAuthStorage/{pattern}',
    'DELETE /v1/dyn/CpeAuthStorage/{pattern}',
    'POST /v1/dyn/OrganizationStorage/{pattern}',
    'DELETE /v1/dyn/OrganizationStorage/{pattern}',
    'POST /v1/dyn/OrganizationStorage/delete_objects',
    'POST /v1/dyn/OrganizationStorage/delete_objects_by_id',
    'GET /v1/dyn/CpeAuthStorage/count.*',
    'POST /v1/dyn/CpeAuthStorage/delete_objects',
    'POST /v1/dyn/CpeAuthStorage/delete_objects_by_id',
    'PUT /v1/dyn/CpeDbService/{pattern}',
    'GET /metrics',
  ],
  everyone: [
    'POST /v1/method/ChangePassword',
    'POST /v1/session',
    'GET /v1/session',
    'DELETE /v1/session',
    'GET /v1/schemas/rule-file.json',
    'GET /v1/schemas/rule-test.json',
    'GET /healthz',
    'GET /readyz',
    'GET /livez',
    'GET /v1/openapi.json',
    'GET /',
    'GET /pages/{asset}',
    'GET /admin/login/',
    'POST /admin/login/',
    'POST /admin/logout/',
    'GET /api/v1/docs/',
    'GET /api/v1/docs/{asset}',
    'GET /api/v1/docs.json',
    'GET /api/v1/docs.yaml',
    'GET /api/v1/redoc/',
    'GET /v1/doc',
    'GET /v1/doc/swagger.json',
    'POST /api/v1/users/token/',
    'GET /devices/{device}/api/common/1.0/services',
    'GET /devices/{device}/api/common/1.0/auth_info',
    'POST /devices/{device}/api/common/1.0/login',
    'POST /devices/{device}/api/common/1.0/oauth/token',
    'POST /devices/{device}/api/common/1.0/logout',
    'POST /sc_cloud/login',
    'POST /sc_cloud/logout',
    'GET /devices/{device}/api/authentication',
  ],
};

const RANK = { viewer: 1, operator: 2, admin: 3 } as const;

const routes = APIS.flatMap((api) => api.routes);
const pathOf = (path: string) => path.replace('{pattern}', 'none').replace('{name}', 'none.bin');
/** What lets nobody in by a password, and words its refusals otherwise. */
const UPGRADER = '/api/v1/firmware-upgrader/';
const NO_SUCH_ID = '0b8b1f0e-9e0b-4c51-9d43-0e5f2f6b7a11';

test('every route says whom it is about, and each stands here', (t) => {
  const declared: Record<Concern, string[]> = { organizations: [], installation: [], everyone: [] };
  for (const { method, path, concerns } of routes) declared[concerns].push(`${method} ${path}`);
  for (const concern of Object.keys(CONCERNS) as Concern[])
    t.deepEqual([...declared[concern]].sort(), [...CONCERNS[concern]].sort(), concern);
});

/** The status, and where it is a refusal what of. */
function outcomeOf({ status, body }: Reply): string {
  if (status !== 401 && status !== 403) return 'let in';
  const { details } = body as {
    readonly details: readonly { readonly field: string; readonly code?: string }[];
  };
  return `${status} ${details[0]?.code ?? details[0]?.field}`;
}

test('users of an organization are let in by their role to what is about organizations, those of the installation who name one as well, and to the installation nobody but they', async (t) => {
  const { call, as, organizations } = await startWithTwo(t);
  const { id } = await organizations.find('south');
  await organizations.change(id, { active: false }, byCommand('test'));
  const closed = as.south;
  for (const { method, path, role: needed } of routes) {
    if (path.startsWith(UPGRADER) || ownLogInsAt(path) !== null) continue;
    const name = `${method} ${path}`;
    const concern = (Object.keys(CONCERNS) as Concern[]).find((each) => CONCERNS[each].includes(name));
    const hasBody = method === 'POST' || method === 'PUT';
    const ask = async (credentials: string | null, query = '') =>
      outcomeOf(
        await call(`${pathOf(path)}${query}`, { method, as: credentials, ...(hasBody && { json: {} }) }),
      );
    if (needed === null) {
      // Whoever asks, and whether or not he shows who he is.
      const nobody = await ask(null);
      for (const credentials of [as.north.viewer, closed.viewer]) t.is(await ask(credentials), nobody, name);
      continue;
    }
    t.regex(await ask(null), /^401/, name);
    for (const role of ROLES) {
      const mayNot = RANK[role] < RANK[needed] ? '403 role' : null;
      const ofOrganization = concern === 'installation' ? '403 installation-only' : 'let in';
      t.is(await ask(as.north[role]), mayNot ?? ofOrganization, `${name} by ${role}@north`);
      t.is(await ask(as.installation[role]), mayNot ?? 'let in', `${name} by ${role}.all`);
      const named = await ask(as.installation[role], '?organization=north');
      t.is(named, mayNot ?? 'let in', `${name} by ${role}.all, who names north`);
      t.is(
        await ask(closed[role]),
        mayNot ?? '403 inactive',
        `${name} by ${role}@south, which is not active`,
      );
    }
  }
});

test('the same holds of the firmware upgrader, in its words', async (t) => {
  const { ask, tokens, organizations } = await startUpgrader(t);
  const { id } = await organizations.find('south');
  await organizations.change(id, { active: false }, byCommand('test'));
  for (const { method, path, role: needed } of routes) {
    if (!path.startsWith(UPGRADER)) continue;
    if (needed === null) return t.fail(`${method} ${path} is open`);
    const outcome = async (token: string | null) => {
      const hasBody = method === 'POST' || method === 'PUT';
      const { status, text } = await ask(method, path.replaceAll(/\{\w+\}/g, NO_SUCH_ID), {
        token,
        ...(hasBody && { json: {} }),
      });
      if (status === 401) return '401';
      if (status !== 403) return 'let in';
      return /not a manager/.test(text) ? '403 inactive' : '403 role';
    };
    t.is(await outcome(null), '401', `${method} ${path}`);
    for (const role of ROLES) {
      const mayNot = RANK[role] < RANK[needed] ? '403 role' : null;
      t.is(await outcome(tokens.north[role]), mayNot ?? 'let in', `${method} ${path} by ${role}@north`);
      t.is(await outcome(tokens.installation[role]), mayNot ?? 'let in', `${method} ${path} by ${role}.all`);
      t.is(await outcome(tokens.south[role]), mayNot ?? '403 inactive', `${method} ${path} by ${role}@south`);
    }
  }
});

test('the same holds of APIs that have sessions of their own', async (t) => {
  t.deepEqual(unusedLogIns(routes.map(({ path }) => path)), []);
  const nbi = await startWithTwo(t);
  const { id } = await nbi.organizations.find('south');
  await nbi.organizations.change(id, { active: false }, byCommand('test'));
  for (const { method, path, role: needed } of routes) {
    const own = ownLogInsAt(path);
    if (own === null || needed === null) continue;
    const hasBody = method === 'POST' || method === 'PUT';
    const outcome = async (name: string | null) => {
      const headers = name === null ? {} : { Cookie: (await ownSession(nbi, own, name)).Cookie };
      const asked = { method, as: null, headers, ...(hasBody && { json: {} }) };
      return outcomeAt(own, await nbi.call(pathOf(path), asked));
    };
    t.is(await outcome(null), '401', `${method} ${path}`);
    for (const role of ROLES) {
      const expected = RANK[role] < RANK[needed] ? '403' : 'let in';
      for (const name of [`${role}@north`, `${role}.all`])
        t.is(await outcome(name), expected, `${method} ${path} by ${name}`);
      t.is(await outcome(`${role}@south`), '403', `${method} ${path} by ${role}@south, which is not active`);
    }
  }
});
