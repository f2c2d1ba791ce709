import test from 'ava';
import { COMMON, DOMAIN, errorOf, request, SERVICE, startSystemUpdate, told } from './support.js';

const SERVICES = [
  { id: 'common', versions: ['1.0'] },
  { id: 'npm.packet_capture', versions: ['1.0'] },
  { id: 'npm.system_update', versions: ['2.0'] },
];
const AUTH_INFO = { supported_methods: ['BASIC', 'COOKIE', 'OAUTH2.0', 'OAUTH_2_0'] };

test('services and auth_info are told before log-in, alike of every name, by path and by Host', async (t) => {
  const nbi = await startSystemUpdate(t);
  await nbi.box('D1');
  for (const name of ['d1', 'no-such-device']) {
    const byHost = { Host: `${name}.${DOMAIN}` };
    for (const [path, body] of [
      [`${COMMON}/services`, SERVICES],
      [`${COMMON}/auth_info`, AUTH_INFO],
    ] as const) {
      t.deepEqual(told(await request(nbi.url, 'GET', `/devices/${name}${path}`)), { status: 200, body });
      t.deepEqual(told(await request(nbi.url, 'GET', path, { headers: byHost })), { status: 200, body });
    }
  }
});

test('a service definition says where the links lead that clients know by name, to whoever sees the CPE', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('D2');
  const common = await nbi.api(box, 'GET', COMMON);
  t.is(common.status, 200);
  const linksOf = (body: unknown) =>
    Object.fromEntries(
      Object.entries(
        (body as { resources: Record<string, { links: Record<string, object> }> }).resources,
      ).map(([name, { links }]) => [
        name,
        Object.entries(links)
          .map(([link, each]) => [link, { path: '', method: 'self', ...each }] as const)
          .map(([link, { path, method }]) => `${link} ${method} ${path}`.trim()),
      ]),
    );
  t.deepEqual(linksOf(common.body), {
    services: ['self self $/services', 'get GET'],
    auth_info: ['self self $/auth_info', 'get GET'],
    info: ['self self $/info', 'get GET'],
    login: ['self self $/login', 'login POST'],
    logout: ['self self $/logout', 'logout POST'],
    token: ['self self $/oauth/token', 'create POST'],
  });
  const service = await nbi.api(box, 'GET', SERVICE);
  t.is(service.status, 200);
  t.like(service.body, {
    $schema: 'http://support.riverbed.com/apis/service_def/2.2',
    id: 'http://support.riverbed.com/apis/npm.system_update/2.0',
    provider: 'riverbed',
    name: 'npm.system_update',
    version: '2.0',
  });
  t.deepEqual(linksOf(service.body), {
    image: ['self self $/images/items/{id}', 'get GET', 'delete DELETE'],
    images: ['self self $/images', 'get GET', 'fetch POST $/images/fetch', 'upload POST $/images/upload'],
    update: [
      'self self $/update',
      'get GET',
      'init POST $/update/init',
      'start POST $/update/start',
      'reset POST $/update/reset',
    ],
  });
  for (const path of [COMMON, SERVICE, `${COMMON}/info`]) {
    t.deepEqual(
      told(await nbi.api(box, 'GET', path, { as: null })),
      errorOf(401, 'AUTH_REQUIRED', 'Authorization: the name and password of a user (Basic authentication)'),
    );
    t.is((await nbi.api(box, 'GET', path, { as: nbi.as.south.admin })).status, 404);
  }
});

test('info tells what the device has told of itself', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('D3', nbi.north, {
    modelName: 'HGW 9000',
    hardwareVersion: 'B1',
    ip: '192.0.2.7',
  });
  t.deepEqual(told(await nbi.api(box, 'GET', `${COMMON}/info`)), {
    status: 200,
    body: {
      device_name: box.cpeid,
      serial: 'D3',
      model: 'HGW 9000',
      hw_version: 'B1',
      sw_version: '1.0',
      mgmt_addresses: ['192.0.2.7'],
    },
  });
});

test('a CPE is known by its UUID and its serial number; of several with one the form by path is told', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('D4');
  const info = (name: string, as: string) =>
    request(nbi.url, 'GET', `${COMMON}/info`, { as, headers: { Host: `${name}.${DOMAIN}` } });
  for (const name of ['d4', 'D4', box.uuid]) t.is((await info(name, nbi.as.north.viewer)).status, 200, name);
  await nbi.putDevice({ id: 'OTHER-D4' as typeof box.cpeid, serialNumber: 'D4', serialLabel: 'd4' });
  t.is((await info('d4', nbi.as.north.viewer)).status, 200);
  t.deepEqual(
    told(await info('d4', nbi.as.installation.viewer)),
    errorOf(
      421,
      'DEVICE_AMBIGUOUS',
      `device: the name of one CPE: several have this one; reach one by path, as /devices/${box.cpeid}/api, /devices/OTHER-D4/api, found "d4"`,
    ),
  );
  t.deepEqual(
    told(await info('d5', nbi.as.installation.viewer)),
    errorOf(
      404,
      'DEVICE_NOT_FOUND',
      'device: a CPE that there is: its cpeid, its UUID, or its serial number in lower case, found "d5"',
    ),
  );
});
