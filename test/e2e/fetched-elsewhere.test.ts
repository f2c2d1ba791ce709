import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import { envelope, inform, RawCpe, SET_PARAMETER_VALUES_RESPONSE } from '../support/raw-cpe.js';

const RULES = '/v1/dyn/FirmwareStorage';
const SECRET = 'open sesame & <more>';
const RULE = {
  id: 'r1',
  file: 'ftp://files.example.net/fw.bin',
  condition: { productClass: 'HGW' },
  target: { softwareVersion: '2.0.0' },
};

async function open(t: ExecutionContext, ...rules: readonly object[]): Promise<TestFerry> {
  const ferry = await startTestFerry(t, { config: { allowAnonymousCpe: true } });
  const posted = await ferry.nbi('POST', `${RULES}/.*`, rules);
  t.is(posted.status, 200, JSON.stringify(posted.body));
  return ferry;
}

/** What a CPE of this serial number is sent once it has been provisioned. */
async function sent(
  t: ExecutionContext,
  ferry: TestFerry,
  serial: string,
): Promise<Readonly<Record<string, string>>> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  await cpe.post(inform({ serial }));
  const first = await cpe.post('');
  const { body } = first.body.includes('SetParameterValues')
    ? await cpe.post(SET_PARAMETER_VALUES_RESPONSE)
    : first;
  return fieldsOf(body.includes('QueuedTransfers') ? (await cpe.post(NOTHING_QUEUED)).body : body);
}

/** Of a Download. */
function fieldsOf(body: string): Readonly<Record<string, string>> {
  const fields = [...body.matchAll(/<(FileType|URL|Username|Password)>(.*?)<\/\1>/g)];
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}

const NOTHING_QUEUED = envelope(
  '<cwmp:GetQueuedTransfersResponse><TransferList soap-enc:arrayType="cwmp:QueuedTransferStruct[0]">' +
    '</TransferList></cwmp:GetQueuedTransfersResponse>',
);

test('fileType, username and password of a rule are those of its Download, also for a file by tftp', async (t) => {
  const more = { fileType: 'X 00A1B2 Bootloader', username: 'cpe', password: SECRET };
  const ferry = await open(t, { ...RULE, file: 'tftp://10.0.0.1/fw.bin', ...more });
  t.deepEqual(await sent(t, ferry, '1'), {
    FileType: 'X 00A1B2 Bootloader',
    URL: 'tftp://10.0.0.1/fw.bin',
    Username: 'cpe',
    Password: SECRET.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;'),
  });
});

test('a Download that did not arrive is sent again as the file it was, by the password of now', async (t) => {
  const ferry = await open(t, {
    ...RULE,
    fileType: 'X 00A1B2 First',
    username: 'cpe',
    password: 'old',
  });
  const first = await sent(t, ferry, '1');
  t.like(first, { FileType: 'X 00A1B2 First', Username: 'cpe', Password: 'old' });
  const changed = { fileType: 'X 00A1B2 Other', password: 'new' };
  t.is((await ferry.nbi('PUT', `${RULES}/r1`, changed)).status, 200);
  t.deepEqual(await sent(t, ferry, '1'), { ...first, Password: 'new' });
});

test('a password is shown, stored and logged nowhere as it is, and kept by whoever writes back what was shown', async (t) => {
  const ferry = await open(t, { ...RULE, username: 'cpe', password: SECRET });
  const shown = await ferry.nbi('GET', `${RULES}/.*`);
  t.like(shown.body, { details: [{ username: 'cpe', password: '********' }] });
  const [rule] = (shown.body as { details: object[] }).details;
  // As it was got, changed by PUT and replaced by POST; and changed without a word of the password.
  for (const [method, body] of [
    ['PUT', rule],
    ['POST', { ...rule, description: 'once more' }],
    ['PUT', { description: 'and again' }],
  ] as const) {
    const written = await ferry.nbi(method, `${RULES}/${method === 'PUT' ? 'r1' : '.*'}`, body);
    t.is(written.status, 200, JSON.stringify(written.body));
  }
  t.is((await sent(t, ferry, '1'))['Username'], 'cpe');
  t.true(ferry.envelopes.some((one) => one.includes('<Password>open sesame')));
  const explained = await ferry.nbi('POST', '/v1/method/ExplainRules', { cpe_id: '00A1B2-HGW-1' });
  t.false(JSON.stringify([explained.body, ferry.events]).includes('open sesame'));
  for (const file of await readdir(join(ferry.dataDir, 'store'))) {
    t.false((await readFile(join(ferry.dataDir, 'store', file))).includes('open sesame'), file);
  }
});

test('a stored password goes to no other server than the one it was given for', async (t) => {
  const ferry = await open(t, { ...RULE, username: 'cpe', password: SECRET });
  const elsewhere = 'ftp://elsewhere.example.net/fw.bin';
  for (const [method, body] of [
    ['PUT', { file: elsewhere }],
    ['POST', { ...RULE, file: elsewhere, username: 'cpe', password: '********' }],
    ['POST', { ...RULE, id: 'r2', username: 'cpe', password: '********' }],
  ] as const) {
    const refused = await ferry.nbi(
      method,
      `${RULES}/.*?all=true`.replace(method === 'POST' ? '?all=true' : '', ''),
      body,
    );
    t.is(refused.status, 400, JSON.stringify(body));
    t.like(refused.body, { details: [{ field: 'password', code: 'not-stored' }] });
    t.false(JSON.stringify(refused.body).includes('open sesame'));
  }
  t.is((await ferry.nbi('PUT', `${RULES}/r1`, { file: elsewhere, password: 'another' })).status, 200);
  t.is((await ferry.nbi('PUT', `${RULES}/r1`, { username: null, password: null })).status, 200);
  t.like(await sent(t, ferry, '1'), { URL: elsewhere, Username: '', Password: '' });
});

test('a password that is wrong in itself is not told back', async (t) => {
  const ferry = await startTestFerry(t);
  for (const password of [12_345_678, 'x\u0007open sesame', '', 'y'.repeat(257)]) {
    const refused = await ferry.nbi('POST', `${RULES}/.*`, { ...RULE, username: 'cpe', password });
    t.is(refused.status, 400);
    t.deepEqual(
      (refused.body as { details: { field: string; found?: string }[] }).details.map(({ field, found }) => [
        field,
        found,
      ]),
      [['password', undefined]],
    );
  }
});

for (const [file, url] of [
  ['http://files.example.net/Grüße 1.bin', 'http://files.example.net/Gr%C3%BC%C3%9Fe%201.bin'],
  ['http://bücher.example:8080/a|b.bin?x="1"', 'http://xn--bcher-kva.example:8080/a%7Cb.bin?x=%221%22'],
  ['https://files.example.net/%41%2fb/100%.bin', 'https://files.example.net/%41%2fb/100%25.bin'],
] as const) {
  test(`a file goes to the CPE as RFC 3986 asks, and is shown as it was written: ${file}`, async (t) => {
    const ferry = await open(t, { ...RULE, file });
    t.is((await sent(t, ferry, '1'))['URL'], url);
    t.like((await ferry.nbi('GET', `${RULES}/.*`)).body, { details: [{ file }] });
  });
}

test('a file that no Download can carry is refused by name', async (t) => {
  const ferry = await startTestFerry(t);
  for (const file of [
    `http://files.example.net/${'ü'.repeat(80)}`,
    'http://files.example.net/a\nb',
    'http://a b/fw.bin',
    'http://user:secret@files.example.net/fw.bin',
    'gopher://files.example.net/fw.bin',
  ]) {
    const refused = await ferry.nbi('POST', `${RULES}/.*`, { ...RULE, file });
    t.is(refused.status, 400, file);
    t.like(refused.body, { details: [{ field: 'file', code: 'bad-file' }] });
  }
});
