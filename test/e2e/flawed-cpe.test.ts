import { gzipSync } from 'node:zlib';
import test from 'ava';
import { startTestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

/** How a CPE writes whatever it sends. */
interface Flaw {
  readonly write: (envelope: string) => string | Buffer;
  readonly headers?: Record<string, string>;
  readonly mended: string;
}

const FLAWS: Readonly<Record<string, Flaw>> = {
  control: { write: (text) => text.replace('>Acme<', '>Ac\u0002me<'), mended: 'character' },
  reference: { write: (text) => text.replace('>Acme<', '>Acme&#2;<'), mended: 'character' },
  ampersand: { write: (text) => text.replace('>Acme<', '>A & Co<'), mended: 'ampersand' },
  nul: { write: (text) => `${text}\0`, mended: 'tail' },
  latin1: { write: (text) => Buffer.from(text.replace('>Acme<', '>Acm\xe9<'), 'latin1'), mended: 'bytes' },
  gb2312: {
    write: (text) => Buffer.from(text.replace('>Acme<', '>\xc2\xb7\xd3\xc9\xc6\xf7<'), 'latin1'),
    mended: 'bytes',
  },
  xsi: { write: (text) => text.replace(/ xmlns:xsi="[^"]*"/, ''), mended: 'namespace' },
  enc: { write: (text) => text.replace(/ xmlns:soap-enc="[^"]*"/, ''), mended: 'namespace' },
  cwmp: { write: (text) => text.replace(/ xmlns:cwmp="[^"]*"/, ''), mended: 'namespace' },
  soap: { write: (text) => text.replace(/ xmlns:soap-env="[^"]*"/, ''), mended: 'namespace' },
  prefix: {
    write: (text) => text.replace(/cwmp:(?=Inform|DownloadResponse|TransferComplete|SetP)/g, ''),
    mended: 'namespace',
  },
  attribute: {
    write: (text) => text.replaceAll('mustUnderstand="1"', 'mustUnderstand="1" soap-env:mustUnderstand="1"'),
    mended: 'attribute',
  },
  charset: {
    write: (text) => text,
    headers: { 'Content-Type': 'text/xml; charset=UTF_8' },
    mended: 'charset',
  },
  coding: { write: (text) => text, headers: { 'Content-Encoding': 'none' }, mended: 'coding' },
  number: { write: (text) => text.replace('Count>0<', 'Count>-1<'), mended: 'number' },
  event: { write: (text) => text.replace(/<Event .*<\/Event>/, ''), mended: 'event' },
  gzip: { write: (text) => gzipSync(text), headers: { 'Content-Encoding': 'gzip' }, mended: '' },
};

test('a CPE that writes everything with one flaw is seen, upgraded and told apart from the others', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R', file: 'hgw-2.bin', condition: { productClass: 'HGW' }, priority: 1, author: 'api' };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule)).status, 200);
  for (const [serial, { write, headers, mended }] of Object.entries(FLAWS)) {
    const cpe = new RawCpe(ferry.urls.cwmp);
    const say = async (text: string) => (await cpe.post(write(text), headers)).body;
    t.is(rpcOf(await say(inform({ serial }))), 'InformResponse', serial);
    let called = (await cpe.post('')).body;
    while (rpcOf(called) === 'SetParameterValues') called = await say(SET_PARAMETER_VALUES_RESPONSE);
    t.is(rpcOf(called), 'Download', serial);
    await say(downloadResponse());
    cpe.close();
    const done = new RawCpe(ferry.urls.cwmp);
    const report = async (text: string) => (await done.post(write(text), headers)).body;
    await report(inform({ serial, version: '2.0', events: ['1 BOOT', '7 TRANSFER COMPLETE'] }));
    await report(transferComplete(textOf(called, 'CommandKey') ?? ''));
    t.is((await done.post('')).status, 204, serial);
    done.close();
    const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/.*?serialNumber=${serial}`);
    t.like((body as { details: unknown[] }).details[0], {
      id: `00A1B2-HGW-${serial}`,
      softwareVersion: '2.0',
    });
    if (mended !== '') {
      const { body: figures } = await ferry.nbi('GET', '/metrics');
      t.regex(String(figures), new RegExp(`ferry_cwmp_mended_total\\{kind="${mended}"\\} `), serial);
    }
  }
  const { body } = await ferry.nbi('GET', '/v1/dyn/FirmwareResultStorage/.*?limit=100');
  const results = (body as { details: { status: boolean }[] }).details;
  t.is(results.filter(({ status }) => status).length, Object.keys(FLAWS).length);
  const told = ferry.events.find(({ event }) => event === 'cwmp.mended');
  t.like(told?.fields, { kinds: 'character', ip: '127.0.0.1', cpeid: '00A1B2-HGW-control' });
});

test('thousands of CPEs with one flaw are told of once, and counted each', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const beganAtMs = performance.now();
  for (let n = 0; n < 20; n++) {
    const cpe = new RawCpe(ferry.urls.cwmp);
    await cpe.post(`${inform({ serial: String(n) })}\0`);
    cpe.close();
  }
  const told = ferry.events.filter(({ event }) => event === 'cwmp.mended').length;
  const tenSecondsPassed = Math.floor((performance.now() - beganAtMs) / 10_000);
  t.true(told >= 1 && told <= 1 + tenSecondsPassed, `${told} lines`);
  t.regex(String((await ferry.nbi('GET', '/metrics')).body), /ferry_cwmp_mended_total\{kind="tail"\} 20\n/);
});
