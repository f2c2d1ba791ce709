import test, { type ExecutionContext } from 'ava';
import { ADMIN, startTestFerry, until } from '../support/ferry.js';
import { hasHttpClient, runHttpClient } from '../support/http-client.js';
import {
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  NEW_VERSION,
  OLD_VERSION,
  SUCCESS,
  startListener,
  uploadImage,
} from './simulated.js';

// The lines of curl that the public documentation has, with another host, user and CPE. docs/api/nbi-004.md says where each stands there.

const HAS_CURL = hasHttpClient('curl');
const CPEID = cpeidOf('1');
const RULE = `UPGRADE_${CPEID}`;
const JSON_TYPE = ['-H', 'Content-Type: application/json'];

/** A line of curl; the answer as text, with its status in a line of its own. */
function curlOf(t: ExecutionContext, nbiUrl: string) {
  return async (expected: number, path: string, ...args: readonly string[]): Promise<string> => {
    const credentials = ['-u', `${ADMIN.name}:${ADMIN.password}`];
    const written = ['-s', '-w', '\\n%{http_code}'];
    const out = await runHttpClient('curl', [...written, ...credentials, ...args, `${nbiUrl}${path}`]);
    const [, body = '', status = ''] = /^([\s\S]*)\n(\d+)$/.exec(out.toString()) ?? [];
    t.is(Number(status), expected, `${path} ${body}`);
    return body;
  };
}

const done = (storage: string) => `{"code":204,"message":"response from ${storage}","details":""}`;

if (HAS_CURL)
  test('the documented lines of curl upgrade a CPE, and read, count and clear away what came of it', async (t) => {
    const ferry = await startTestFerry(t);
    const cpe = createCpe(t, ferry.urls.cwmp, '1', { listener: await startListener(t) });
    await introduce(ferry.nbi, cpe);
    await uploadImage(t, ferry.nbi);
    const curl = curlOf(t, ferry.urls.nbi);
    // nbi_firmware_upgrading: 1 to 4.
    const rule = {
      id: RULE,
      enabled: true,
      automatic: true,
      file: IMAGE_NAME,
      condition: { cpeid: CPEID },
      executions: 1,
      priority: 1,
      author: 'api',
    };
    const create = await curl(
      200,
      '/v1/dyn/FirmwareStorage/.*',
      '-X',
      'POST',
      ...JSON_TYPE,
      '-d',
      JSON.stringify(rule),
    );
    t.is(create, done('FirmwareStorage'));
    const none = await curl(404, `/v1/dyn/FirmwareResultStorage/.*?id=${RULE}`);
    t.is(none, '{"code":404,"message":"response from FirmwareResultStorage","details":""}');
    const called = await curl(
      200,
      '/v1/method/SendCNR',
      '-X',
      'POST',
      ...JSON_TYPE,
      '-d',
      JSON.stringify({ search_options: { cpe_id: CPEID } }),
    );
    t.is(called, '{"result":{"code":200,"message":"OK"}}');
    const found = await until('the upgrade has succeeded', async () => {
      const out = await runHttpClient('curl', [
        '-s',
        '-u',
        `${ADMIN.name}:${ADMIN.password}`,
        `${ferry.urls.nbi}/v1/dyn/FirmwareResultStorage/.*?id=${RULE}`,
      ]);
      return out.includes(SUCCESS) && out.toString();
    });
    const { details } = JSON.parse(found) as { details: readonly Readonly<Record<string, unknown>>[] };
    t.like(details[0], {
      status: true,
      cpeid: CPEID,
      campaignid: RULE,
      result: { code: 200, message: SUCCESS },
    });
    t.is(await curl(200, `/v1/dyn/FirmwareResultStorage/${RULE}`), found);
    const off = await curl(
      200,
      `/v1/dyn/FirmwareStorage/.*?campaignid=${RULE}`,
      '-X',
      'PUT',
      ...JSON_TYPE,
      '-d',
      JSON.stringify({ id: RULE, enabled: false, automatic: false }),
    );
    t.is(off, done('FirmwareStorage'));
    // import_export: the export, and the same back.
    const exported = await curl(
      200,
      '/v1/dyn/FirmwareStorage/.*?limit=10000&offset=0',
      '-X',
      'GET',
      '-H',
      'accept: application/json',
    );
    const rows = (JSON.parse(exported) as { details: readonly unknown[] }).details;
    t.is(rows.length, 1);
    t.is(
      await curl(200, '/v1/dyn/FirmwareStorage/.*', '-X', 'POST', ...JSON_TYPE, '-d', JSON.stringify(rows)),
      done('FirmwareStorage'),
    );
    // nbi_storage: count, delete by fields, by ids, one.
    const count = (storage: string, n: number) =>
      `{"code":200,"message":"response from ${storage}","details":${n}}`;
    t.is(await curl(200, '/v1/dyn/FirmwareStorage/count.*'), count('FirmwareStorage', 1));
    t.is(
      await curl(200, `/v1/dyn/CpeDbService/count.*?softwareVersion=${NEW_VERSION}`),
      count('CpeDbService', 1),
    );
    t.is(
      await curl(200, `/v1/dyn/CpeDbService/count.*?softwareVersion=${OLD_VERSION}`),
      count('CpeDbService', 0),
    );
    const results = await curl(
      200,
      '/v1/dyn/FirmwareResultStorage/delete_objects',
      '-X',
      'POST',
      ...JSON_TYPE,
      '-d',
      JSON.stringify({ campaignid: RULE }),
    );
    t.is(results, done('FirmwareResultStorage'));
    const rules = await curl(
      200,
      '/v1/dyn/FirmwareStorage/delete_objects_by_id',
      '-X',
      'POST',
      ...JSON_TYPE,
      '-d',
      JSON.stringify([RULE]),
    );
    t.is(rules, done('FirmwareStorage'));
    await curl(404, `/v1/dyn/FirmwareStorage/${RULE}`, '-X', 'DELETE');
    // nbi_dms: the live page and the document, without log-in.
    const page = await runHttpClient('curl', ['-s', '-L', `${ferry.urls.nbi}/v1/doc`]);
    t.true(page.includes('swagger-ui'));
    const document = JSON.parse(
      (await runHttpClient('curl', ['-s', `${ferry.urls.nbi}/v1/doc/swagger.json`])).toString(),
    ) as { openapi: string };
    t.is(document.openapi, '3.1.0');
  });
