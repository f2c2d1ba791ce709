import test from 'ava';
import { COMMON, errorOf, request, SERVICE, startSystemUpdate, told } from './support.js';

test('a path that there is not is 404, a method that there is not 405 with Allow, without log-in', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('M1');
  for (const path of [
    `${SERVICE}/nothing`,
    `${SERVICE}/images/items`,
    '/api/npm.system_update/3.0',
    '/api/common/2.0/info',
  ])
    t.deepEqual(
      told(await nbi.api(box, 'GET', path, { as: null })),
      errorOf(404, 'RESOURCE_NOT_FOUND', 'path: one of those that /v1/openapi.json lists'),
      path,
    );
  for (const [method, path, allow] of [
    ['POST', `${COMMON}/services`, 'GET'],
    ['POST', `${COMMON}/auth_info`, 'GET'],
    ['DELETE', COMMON, 'GET'],
    ['POST', SERVICE, 'GET'],
    ['PUT', `${COMMON}/info`, 'GET'],
    ['GET', `${COMMON}/login`, 'POST'],
    ['GET', `${COMMON}/logout`, 'POST'],
    ['GET', `${COMMON}/oauth/token`, 'POST'],
    ['POST', `${SERVICE}/images`, 'GET'],
    ['PUT', `${SERVICE}/images/items/1`, 'GET, DELETE'],
    ['PUT', `${SERVICE}/images/upload`, 'POST'],
    ['PUT', `${SERVICE}/images/fetch`, 'POST'],
    ['POST', `${SERVICE}/update`, 'GET'],
    ['GET', `${SERVICE}/update/init`, 'POST'],
    ['GET', `${SERVICE}/update/start`, 'POST'],
    ['GET', `${SERVICE}/update/reset`, 'POST'],
  ] as const) {
    const answer = await nbi.api(box, method, path, { as: null });
    t.deepEqual(told(answer), errorOf(405, 'METHOD_NOT_ALLOWED', `method: one of ${allow}`), path);
    t.is(answer.headers.allow, allow);
  }
});

test('bodies are of their type: 415 for another, 413 for too much, 400 for what is no JSON', async (t) => {
  const nbi = await startSystemUpdate(t, { limits: { callBytesMax: 100 } });
  const box = await nbi.box('M2');
  const fetch = `${SERVICE}/images/fetch`;
  const post = async (path: string, body: string, type: string) =>
    told(await nbi.api(box, 'POST', path, { body, headers: { 'Content-Type': type } }));
  t.like(await post(fetch, '{}', 'text/plain'), { status: 415 });
  t.like((await post(fetch, '{}', 'text/plain')).body, { error_id: 'UNSUPPORTED_MEDIA_TYPE' });
  t.like((await post(fetch, '{', 'application/json')).body, { error_id: 'REQUEST_INVALID_INPUT' });
  t.deepEqual(
    await post(fetch, ' '.repeat(101), 'application/json'),
    errorOf(413, 'REQUEST_TOO_LARGE', 'a body of at most 100 bytes: send it in several requests'),
  );
  t.like(await post(`${SERVICE}/images/upload`, 'x', 'multipart/form-data; boundary=x'), { status: 415 });
  t.like(await post(`${SERVICE}/images/upload`, 'x', 'application/octet-stream'), { status: 200 });
});

test('what has no body may announce JSON, as the vendor’s client does', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('M3');
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', 'Content-Length': '0' };
  t.is((await nbi.api(box, 'POST', `${SERVICE}/update/reset`, { headers })).status, 204);
  t.is((await nbi.api(box, 'GET', `${SERVICE}/update`, { headers })).status, 200);
});

test('a CPE of another organization is answered as one that there is not, whatever is asked', async (t) => {
  const nbi = await startSystemUpdate(t);
  const south = await nbi.box('M4', nbi.south);
  const none = { ...south, cpeid: `${south.cpeid}-none` as typeof south.cpeid };
  const image = await nbi.image('south.bin', { organization: nbi.south.id });
  for (const [method, path] of [
    ['GET', COMMON],
    ['GET', `${COMMON}/info`],
    ['GET', SERVICE],
    ['GET', `${SERVICE}/images`],
    ['GET', `${SERVICE}/images/items/${image}`],
    ['DELETE', `${SERVICE}/images/items/${image}`],
    ['POST', `${SERVICE}/images/upload`],
    ['POST', `${SERVICE}/images/fetch`],
    ['GET', `${SERVICE}/update`],
    ['POST', `${SERVICE}/update/init`],
    ['POST', `${SERVICE}/update/start`],
    ['POST', `${SERVICE}/update/reset`],
  ] as const)
    for (const { cpeid } of [south, none]) {
      const { status, body } = await request(nbi.url, method, `/devices/${cpeid}${path}`, {
        as: nbi.as.north.admin,
      });
      t.deepEqual(
        { status, body },
        errorOf(
          404,
          'DEVICE_NOT_FOUND',
          `device: a CPE that there is: its cpeid, its UUID, or its serial number in lower case, found "${cpeid}"`,
        ),
        `${method} ${path}`,
      );
    }
});
