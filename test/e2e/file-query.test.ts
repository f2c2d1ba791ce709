import test from 'ava';
import fc from 'fast-check';
import { lacksQueryValues, withoutQueryValues } from '../../common/index.js';
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

const CPEID = '00A1B2-HGW-1';
const URL_WITH_KEY = 'https://fw.example.net/hgw-2.bin?v=2&sig=TOPSECRET%2Bx&TOPSECRET#part';
const SHOWN = 'https://fw.example.net/hgw-2.bin?v=********&sig=********&********#part';
const RULES = '/v1/dyn/FirmwareStorage/.*';
const RULE = {
  id: 'R1',
  file: URL_WITH_KEY,
  condition: { cpeid: CPEID },
  priority: 1,
  author: 'api',
  target: { softwareVersion: '2.0' },
};

test('a key in the query of a rule’s file goes to the CPE and to authors, and into nothing that a viewer or the log is told', async (t) => {
  const ferry = await startTestFerry(t);
  await ferry.installation.users.add({ name: 'reader', password: 'only looking', role: 'viewer' });
  const asViewer = { Authorization: `Basic ${Buffer.from('reader:only looking').toString('base64')}` };
  t.is((await ferry.nbi('POST', RULES, RULE)).status, 200);
  t.is(
    (
      await ferry.nbi('POST', RULES, {
        ...RULE,
        id: 'R2',
        file: 'http://fw.example.net/plain.bin',
        enabled: false,
      })
    ).status,
    200,
  );

  // Authors are shown what they wrote.
  t.like((await ferry.nbi('GET', `${RULES}?id=R1`)).body, { details: [{ file: URL_WITH_KEY }] });
  const told: unknown[] = [];
  const asked = async (method: string, path: string, body?: unknown) => {
    const answer = await ferry.nbi(method, path, body, asViewer);
    told.push(path, answer.status, answer.body);
    return answer;
  };
  t.like((await asked('GET', `${RULES}?id=R1`)).body, { details: [{ file: SHOWN }] });
  t.like((await asked('GET', `${RULES}?id=R2`)).body, {
    details: [{ file: 'http://fw.example.net/plain.bin' }],
  });
  // Nor can it be found out by filtering: what matches is what is shown.
  t.is((await asked('GET', `${RULES}?file=${encodeURIComponent(SHOWN)}`)).status, 200);
  t.is(
    (await ferry.nbi('GET', `${RULES}?file=${encodeURIComponent(URL_WITH_KEY)}`, undefined, asViewer)).status,
    404,
  );
  t.is((await asked('GET', `${RULES}?sort=file&limit=1`)).status, 200);

  t.is((await asked('POST', '/v1/method/ExplainRules', { cpe_id: CPEID })).status < 500, true);
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  for (let answer = await cpe.post(''); answer.status !== 204; ) {
    const rpc = rpcOf(answer.body);
    if (rpc === 'Download') t.is(textOf(answer.body, 'URL')?.replaceAll('&amp;', '&'), URL_WITH_KEY);
    const reply = rpc === 'Download' ? downloadResponse(1) : SET_PARAMETER_VALUES_RESPONSE;
    const [, key = ''] = /<CommandKey>(.*)<\/CommandKey>/.exec(answer.body) ?? [];
    answer = await cpe.post(reply);
    if (rpc === 'Download') {
      await cpe.post(inform({ events: ['7 TRANSFER COMPLETE', ['M Download', key]], version: '2.0' }));
      await cpe.post(transferComplete(key));
      break;
    }
  }
  cpe.close();
  t.true(
    ferry.envelopes.some((envelope) => envelope.includes('TOPSECRET')),
    'the CPE was sent it',
  );
  for (const path of [
    '/v1/dyn/FirmwareResultStorage/.*',
    '/v1/dyn/DeviceStorage/.*',
    '/v1/dyn/DeviceStorage/.*?parameters=true',
    '/metrics',
  ]) {
    t.is((await asked('GET', path)).status, 200, path);
  }
  for (const method of ['ExplainRules', 'MatchDevices']) {
    for (const body of [
      {},
      { search_options: { cpe_id: CPEID } },
      { rule: 'R1' },
      { id: 'R1' },
      { cpeid: CPEID },
    ])
      await asked('POST', `/v1/method/${method}`, body);
  }
  t.notRegex(JSON.stringify(told), /TOPSECRET/);
  t.notRegex(JSON.stringify(ferry.events), /TOPSECRET/);
  await ferry.nbi('DELETE', `${RULES}?id=R1`);
});

test('what a viewer was shown in place of a query cannot be posted as if it were one', async (t) => {
  const ferry = await startTestFerry(t);
  const refused = await ferry.nbi('POST', RULES, { ...RULE, file: SHOWN });
  t.is(refused.status, 400);
  t.like(refused.body, { details: [{ field: 'file', code: 'bad-file' }] });
});

test('a rule that is refused for its file, or for what it is in, is told back without its secrets', async (t) => {
  const ferry = await startTestFerry(t);
  const long = `https://u:TOPSECRET@fw.example.net/x?sig=TOPSECRET${'x'.repeat(2_000)}`;
  const bodies = [
    { ...RULE, file: 'https://u:TOPSECRET@fw.example.net/x?sig=TOPSECRET' },
    { ...RULE, file: `https://fw.example.net/${'x'.repeat(250)}?sig=TOPSECRET` },
    { ...RULE, file: long },
    { ...RULE, file: 'gopher://fw.example.net/x?sig=TOPSECRET' },
    { ...RULE, username: 'u', password: ['TOPSECRET'] },
    { ...RULE, username: 'u', password: 'TOPSECRET'.repeat(100) },
    { ...RULE, username: 'u', pasword: 'TOPSECRET' },
    [[{ ...RULE, username: 'u', password: 'TOPSECRET' }]],
    { rule: { ...RULE, password: 'TOPSECRET' } },
  ];
  for (const body of bodies) {
    for (const path of [RULES, '/v1/method/MatchDevices', '/v1/method/ExplainRules']) {
      const sent = path === RULES ? body : { rule: body };
      const refused = await ferry.nbi('POST', path, sent);
      t.true(
        refused.status === 400 || refused.status === 404,
        `${refused.status} ${JSON.stringify(refused.body)}`,
      );
      t.notRegex(JSON.stringify(refused.body), /TOPSECRET/);
    }
  }
  t.notRegex(JSON.stringify(ferry.events), /TOPSECRET/);
});

test('of an address without a query nothing is taken away, and of one with a query nothing but its values', (t) => {
  const plain = fc.oneof(fc.webUrl(), fc.stringMatching(/^[\w.~-]{1,20}$/));
  fc.assert(fc.property(plain, (file) => t.is(withoutQueryValues(file), file)));
  const word = fc.stringMatching(/^[a-zA-Z0-9%_.-]{1,12}$/);
  fc.assert(
    fc.property(
      fc.webUrl(),
      fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 5 }),
      (url, parameters) => {
        const shown = withoutQueryValues(
          `${url}?${parameters.map(([name, value]) => `${name}=${value}`).join('&')}`,
        );
        t.is(shown, `${url}?${parameters.map(([name]) => `${name}=********`).join('&')}`);
        t.true(lacksQueryValues(shown));
        t.false(lacksQueryValues(url));
      },
    ),
  );
});
