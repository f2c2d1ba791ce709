import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createSecrets } from '../../common/index.js';
import { checkFileToken, issueFileToken } from '../../firmware/file-token.js';
import {
  createDownloadLocator,
  type DownloadLocatorOptions,
  type Image,
  ImageError,
  ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX,
  PUBLIC_URL_CHARACTERS_MAX,
} from '../../firmware/index.js';
import { NORTH, openTestLibrary, SOUTH, sha256Of, uploadOf } from './support.js';

const secrets = createSecrets(Buffer.alloc(32, 1));
const otherSecrets = createSecrets(Buffer.alloc(32, 2));
const publicUrl = 'https://acs.example.net:8443/fw/';
const expiresAtMs = 1_800_000_000_000;

async function openLocator(t: ExecutionContext, more: Partial<DownloadLocatorOptions> = {}) {
  const { library } = await openTestLibrary(t);
  const name = 'hgw.bin';
  const { image } = await library.upload(uploadOf(name, Buffer.from('content')));
  const options = { secrets, publicUrl, auth: { kind: 'token' }, library, ...more } as const;
  return { image, library, locator: createDownloadLocator(options) };
}

test('an image is located by a token URL, without credentials', async (t) => {
  const { locator, image } = await openLocator(t);
  t.deepEqual(await locator.resolve('hgw.bin'), { image });
  const token = issueFileToken(secrets, image, expiresAtMs);
  t.deepEqual(await locator.locate('hgw.bin', { expiresAtMs }), {
    url: `https://acs.example.net:8443/fw/t/${token}/hgw.bin`,
    username: '',
    password: '',
    fileType: '1 Firmware Upgrade Image',
    sizeBytes: 7,
    targetFileName: 'hgw.bin',
    sha256: image.sha256,
  });
});

test('with Basic an image is located by its plain URL and the credentials', async (t) => {
  const auth = { kind: 'credentials', username: 'cpe', password: 's3cret' } as const;
  const { locator, image } = await openLocator(t, { auth });
  t.deepEqual(await locator.locate('hgw.bin', { expiresAtMs }), {
    url: 'https://acs.example.net:8443/fw/files/hgw.bin',
    username: 'cpe',
    password: 's3cret',
    fileType: '1 Firmware Upgrade Image',
    sizeBytes: 7,
    targetFileName: 'hgw.bin',
    sha256: image.sha256,
  });
});

test('our own URL of an image names the image, however the host is written', async (t) => {
  const { locator, image } = await openLocator(t);
  for (const file of [
    'https://acs.example.net:8443/fw/files/hgw.bin',
    'HTTPS://ACS.Example.NET:8443/fw/files/hgw%2Ebin',
  ]) {
    t.deepEqual(await locator.resolve(file), { image });
    t.regex((await locator.locate(file, { expiresAtMs }))?.url ?? '', /\/fw\/t\/[\w-]{28}\/hgw\.bin$/);
  }
});

test('a name or own URL without an image is null, and so is anything else that names nothing', async (t) => {
  const { locator } = await openLocator(t);
  const base = 'https://acs.example.net:8443/fw/files';
  for (const file of [
    'none.bin',
    `${base}/none.bin`,
    `${base}/%00`,
    `${base}/%zz`,
    '',
    '../x',
    'file:///x',
  ]) {
    t.is(await locator.resolve(file), null, file);
    t.is(await locator.locate(file, { expiresAtMs }), null, file);
  }
});

const FOREIGN: readonly (readonly [file: string, url: string, username: string, password: string])[] = [
  ['http://cdn.example.net/a//b;c?d=%41#e', 'http://cdn.example.net/a//b;c?d=%41#e', '', ''],
  ['ftp://u:p@ftp.example.net/a.bin', 'ftp://ftp.example.net/a.bin', 'u', 'p'],
  ['HTTP://u%40x:p%3A%2F@CDN/a@b', 'HTTP://CDN/a@b', 'u@x', 'p:/'],
  ['http://only@h/x', 'http://h/x', 'only', ''],
  ['https://acs.example.net:8443/other/hgw.bin', 'https://acs.example.net:8443/other/hgw.bin', '', ''],
];

for (const [file, url, username, password] of FOREIGN) {
  test(`a URL elsewhere is passed as it is, but for its credentials: ${file}`, async (t) => {
    const { locator } = await openLocator(t);
    t.deepEqual(await locator.resolve(file), { url });
    const expected = {
      fileType: '1 Firmware Upgrade Image',
      url,
      username,
      password,
      sizeBytes: 0,
      targetFileName: '',
    };
    t.deepEqual(await locator.locate(file, { expiresAtMs }), expected);
  });
}

const UNUSABLE = [
  'http://',
  'http://[::1',
  'http://h/\n',
  'http://h\\x',
  'http://h h/x',
  'http://%zz@h/x',
  `http://h/${'x'.repeat(248)}`,
  `http://${'u'.repeat(257)}@h/x`,
  `http://h/${'x'.repeat(100_000)}`,
];

for (const file of UNUSABLE) {
  test(`a URL that no Download can carry is refused: ${JSON.stringify(file).slice(0, 40)} (${file.length})`, async (t) => {
    const { locator } = await openLocator(t);
    t.is(await locator.resolve(file), null);
    const error = await t.throwsAsync(locator.locate(file, { expiresAtMs }), { instanceOf: ImageError });
    t.like(error, { code: 'invalid-url', field: 'file' });
  });
}

test('a foreign URL of 256 characters is accepted, whatever its userinfo adds', async (t) => {
  const { locator } = await openLocator(t);
  const url = `http://h/${'x'.repeat(247)}`;
  const located = await locator.locate(url.replace('//', '//user:password@'), { expiresAtMs });
  t.is(located?.url, url);
  t.is(url.length, 256);
});

test('the longest public URL and the longest name make a URL of exactly 256 characters', async (t) => {
  const longest = `http://h/${'p'.repeat(PUBLIC_URL_CHARACTERS_MAX - 9)}`;
  const { library, locator } = await openLocator(t, { publicUrl: longest });
  const name = 'n'.repeat(128);
  await library.upload(uploadOf(name, Buffer.from('x')));
  const located = await locator.locate(name, { expiresAtMs });
  t.is(located?.url.length, 256);
  t.throws(
    () => createDownloadLocator({ secrets, publicUrl: `${longest}p`, auth: { kind: 'token' }, library }),
    { message: /has 97 characters, at most 96/ },
  );
});

test('the first subnet that holds the CPE chooses the public URL, else the default', async (t) => {
  const { locator } = await openLocator(t, {
    publicUrl: [
      { subnet: '10.1.0.0/16', url: 'http://narrow' },
      { subnet: '10.0.0.0/8', url: 'http://wide' },
      { subnet: '2001:db8::/32', url: 'http://six' },
      { subnet: 'default', url: 'http://rest' },
    ],
  });
  const cases: readonly (readonly [string | undefined, string])[] = [
    ['10.1.2.3', 'narrow'],
    ['10.2.2.3', 'wide'],
    ['::ffff:10.2.2.3', 'wide'],
    ['2001:DB8::1', 'six'],
    ['192.0.2.1', 'rest'],
    ['not an address', 'rest'],
    [undefined, 'rest'],
  ];
  for (const [cpeIp, host] of cases) {
    const located = await locator.locate('hgw.bin', { expiresAtMs, cpeIp });
    t.is(new URL(located?.url ?? '').host, host, cpeIp ?? 'none');
  }
});

const BAD_OPTIONS: readonly (readonly [RegExp, Partial<DownloadLocatorOptions>])[] = [
  [/absolute http or https URL/, { publicUrl: 'acs.example.net' }],
  [/absolute http or https URL/, { publicUrl: 'ftp://acs.example.net' }],
  [/no user, password, query or fragment/, { publicUrl: 'http://u:p@h' }],
  [/no user, password, query or fragment/, { publicUrl: 'http://h/?x' }],
  [/last entry must have the subnet "default"/, { publicUrl: [] }],
  [/last entry must have the subnet "default"/, { publicUrl: [{ subnet: '10.0.0.0/8', url: 'http://h' }] }],
  [
    /"10.0.0.0\/33" must be a subnet/,
    {
      publicUrl: [
        { subnet: '10.0.0.0/33', url: 'http://h' },
        { subnet: 'default', url: 'http://h' },
      ],
    },
  ],
  [/no colon/, { auth: { kind: 'credentials', username: 'a:b', password: 'c' } }],
  [/file password: must be 1 to 256/, { auth: { kind: 'credentials', username: 'a', password: '' } }],
];

for (const [message, options] of BAD_OPTIONS) {
  test(`an unusable configuration is refused at once: ${JSON.stringify(options)}`, async (t) => {
    await t.throwsAsync(openLocator(t, options), { message });
  });
}

test('a token is valid for its name and content until its time, and any altered character makes it forged', (t) => {
  const sha256 = sha256Of(Buffer.from('content'));
  const image = { id: 'a.bin', sha256 };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.nat({ max: 27 }),
      fc.constantFrom(...'ABCabc019_-'),
      (expirySeconds, position, character) => {
        const nowMs = expirySeconds * 1_000;
        const token = issueFileToken(secrets, image, nowMs);
        const altered = token.slice(0, position) + character + token.slice(position + 1);
        const worth = checkFileToken(secrets, token, 'a.bin', nowMs - 1);
        t.true(worth.kind === 'valid' && worth.isFor(sha256) && !worth.isFor(sha256Of(Buffer.from('other'))));
        t.is(checkFileToken(secrets, token, 'a.bin', nowMs).kind, 'expired');
        t.is(checkFileToken(secrets, token, 'b.bin', nowMs - 1).kind, 'forged');
        t.is(checkFileToken(otherSecrets, token, 'a.bin', nowMs - 1).kind, 'forged');
        const other = checkFileToken(secrets, altered, 'a.bin', nowMs - 1);
        t.is(other.kind === 'valid' && other.isFor(sha256), altered === token);
      },
    ),
  );
  for (const garbage of ['', 'x', '='.repeat(28), 'A'.repeat(29)]) {
    t.is(checkFileToken(secrets, garbage, 'a.bin', 0).kind, 'forged');
  }
  t.is(issueFileToken(secrets, image, 2 ** 33 * 1_000).length, 28, 'a rule may give a CPE centuries');
});

test('the token of a Download that an earlier version sent is worth what it was, whatever the content', (t) => {
  const nowMs = 1_764_000_000_000;
  const expiry = Buffer.alloc(5);
  expiry.writeUIntBE(nowMs / 1_000, 0, 5);
  const mac = secrets.mac('file-token', Buffer.concat([expiry, Buffer.from('a.bin')])).subarray(0, 16);
  const token = Buffer.concat([expiry, mac]).toString('base64url');
  const worth = checkFileToken(secrets, token, 'a.bin', nowMs - 1);
  t.true(
    worth.kind === 'valid' &&
      worth.isFor(sha256Of(Buffer.from('content'))) &&
      worth.isFor(sha256Of(Buffer.from('other'))),
  );
  t.is(checkFileToken(secrets, token, 'a.bin', nowMs).kind, 'expired');
  t.is(checkFileToken(secrets, token, 'b.bin', nowMs - 1).kind, 'forged');
});

test('a rule of an organization means its own image, else the shared one; one of the installation a shared one only', async (t) => {
  const { library, locator, image } = await openLocator(t);
  const upload = (name: string, organization: string) =>
    library.upload(uploadOf(name, Buffer.from('x'), { organization })).then((outcome) => outcome.image);
  const own = await upload('hgw.bin', NORTH);
  const alone = await upload('alone.bin', NORTH);
  const base = 'https://acs.example.net:8443/fw/files';
  const meant: readonly (readonly [file: string, of: string | undefined, image: Image | null])[] = [
    ['hgw.bin', NORTH, own],
    ['hgw.bin', SOUTH, image],
    ['hgw.bin', undefined, image],
    ['alone.bin', NORTH, alone],
    ['alone.bin', SOUTH, null],
    ['alone.bin', undefined, null],
    [`${base}/hgw.bin`, NORTH, own],
    [`${base}/hgw.bin`, SOUTH, image],
    [`${base}/${NORTH}/hgw%2Ebin`, NORTH, own],
    [`${base}/${NORTH}/hgw.bin`, SOUTH, null],
    [`${base}/${NORTH}/hgw.bin`, undefined, null],
    [`${base}/${SOUTH}/hgw.bin`, SOUTH, null],
    // No name of an image, though it is what one is stored under.
    [own.id, NORTH, null],
    [own.id, undefined, null],
  ];
  for (const [file, organization, image] of meant) {
    t.deepEqual(await locator.resolve(file, organization), image && { image }, `${file} of ${organization}`);
    const located = await locator.locate(file, { organization, expiresAtMs });
    t.is(located?.targetFileName, image?.name, file);
  }
});

test('the URL of an organization’s image has its id in front, and fits where the longest shared name does', async (t) => {
  const longest = `http://h/${'p'.repeat(PUBLIC_URL_CHARACTERS_MAX - 9)}`;
  for (const auth of [{ kind: 'token' }, { kind: 'credentials', username: 'u', password: 'p' }] as const) {
    const { library, locator } = await openLocator(t, { publicUrl: longest, auth });
    const name = 'n'.repeat(ORGANIZATION_IMAGE_NAME_CHARACTERS_MAX);
    await library.upload(uploadOf(name, Buffer.from('x'), { organization: NORTH }));
    const located = await locator.locate(name, { organization: NORTH, expiresAtMs });
    t.true(located?.url.endsWith(`/${NORTH}/${name}`));
    t.true((located?.url.length ?? 0) <= 256);
    t.is(located?.targetFileName, name);
  }
});
