import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import {
  type FormatName,
  HEAD_BYTES,
  type ImageFacts,
  TAIL_BYTES,
} from '../../../firmware/formats/format.js';
import { Inspection } from '../../../firmware/formats/inspection.js';
import * as images from './images.js';

function inspected(bytes: Buffer, chunkBytes = 16_384) {
  const inspection = new Inspection();
  for (let at = 0; at < bytes.length; at += chunkBytes)
    inspection.update(bytes.subarray(at, at + chunkBytes));
  return inspection.end();
}

/** Of each fact the value. */
function valuesOf(facts: ImageFacts): unknown {
  return Object.fromEntries(Object.entries(facts).map(([name, { value }]) => [name, value]));
}

interface Case {
  readonly title: string;
  readonly bytes: Buffer;
  readonly formats: readonly FormatName[];
  readonly facts: unknown;
  readonly checksum: 'right' | 'none';
}

const FROM_METADATA = {
  version: '23.05.3',
  boards: ['tplink,archer-c7-v5'],
  hardware: 'tplink_archer-c7-v5',
  description: 'OpenWrt 23.05.3 r23809-234f1a2efa ath79/generic',
};

const CASES: readonly Case[] = [
  {
    title: 'OpenWrt metadata at the end of what is known by nothing else',
    bytes: images.withMetadata(images.content(10_000)),
    formats: ['fwtool-metadata'],
    facts: FROM_METADATA,
    checksum: 'right',
  },
  {
    title: 'OpenWrt metadata before a signature',
    bytes: images.withSignature(images.withMetadata(images.content(10_000))),
    formats: ['fwtool-metadata'],
    facts: FROM_METADATA,
    checksum: 'right',
  },
  {
    title: 'OpenWrt metadata with new_supported_devices',
    bytes: images.withMetadata(images.content(10_000), {
      ...images.METADATA,
      supported_devices: ['Config cannot be migrated from swconfig to DSA'],
      new_supported_devices: ['linksys,e8450', 'linksys,e8450-ubi'],
    }),
    formats: ['fwtool-metadata'],
    facts: { ...FROM_METADATA, boards: ['linksys,e8450', 'linksys,e8450-ubi'] },
    checksum: 'right',
  },
  {
    title: 'a signature without metadata',
    bytes: images.withSignature(images.content(10_000)),
    formats: ['fwtool-metadata'],
    facts: {},
    checksum: 'right',
  },
  {
    title: 'sysupgrade.tar',
    bytes: images.sysupgradeTar(),
    formats: ['sysupgrade-tar'],
    facts: { boards: ['tplink_archer-c7-v5'] },
    checksum: 'right',
  },
  {
    title: 'sysupgrade.tar with metadata, which goes first',
    bytes: images.withMetadata(images.sysupgradeTar()),
    formats: ['fwtool-metadata', 'sysupgrade-tar'],
    facts: FROM_METADATA,
    checksum: 'right',
  },
  {
    title: 'uImage',
    bytes: images.uimage(),
    formats: ['uimage'],
    facts: { description: 'Vendor HGW V2.1.7', version: 'V2.1.7' },
    checksum: 'right',
  },
  {
    title: 'uImage whose name tells the kernel’s version',
    bytes: images.uimage('MIPS OpenWrt Linux-5.15.150'),
    formats: ['uimage'],
    facts: { description: 'MIPS OpenWrt Linux-5.15.150' },
    checksum: 'right',
  },
  {
    title: 'uImage with a name that ends without NUL, a root file system behind it, and metadata',
    bytes: images.withMetadata(
      Buffer.concat([images.uimage('A name of thirty-two characters!'), images.squashfs()]),
    ),
    formats: ['fwtool-metadata', 'uimage'],
    facts: FROM_METADATA,
    checksum: 'right',
  },
  {
    title: 'FIT with its data within',
    bytes: images.fit(),
    formats: ['fit'],
    facts: { version: '4.2.1', description: 'Vendor firmware 4.2.1', boards: ['vendor,hgw-9', 'vendor,hgw'] },
    checksum: 'right',
  },
  {
    title: 'FIT with external data',
    bytes: images.fit(true),
    formats: ['fit'],
    facts: { version: '4.2.1', description: 'Vendor firmware 4.2.1', boards: ['vendor,hgw-9', 'vendor,hgw'] },
    checksum: 'right',
  },
  {
    title: 'FIT with data so small that it is kept',
    bytes: images.fit(false, images.content(500)),
    formats: ['fit'],
    facts: { version: '4.2.1', description: 'Vendor firmware 4.2.1', boards: ['vendor,hgw-9', 'vendor,hgw'] },
    checksum: 'right',
  },
  { title: 'TRX', bytes: images.trx(), formats: ['trx'], facts: {}, checksum: 'right' },
  {
    title: 'TRX with metadata behind it',
    bytes: images.withMetadata(images.trx()),
    formats: ['fwtool-metadata', 'trx'],
    facts: FROM_METADATA,
    checksum: 'right',
  },
  {
    title: 'TP-Link v1',
    bytes: images.tplinkV1(),
    formats: ['tplink-v1'],
    facts: { version: 'ver. 3.17.1', hardware: '0x08410001 rev 2' },
    checksum: 'none',
  },
  {
    title: 'TP-Link safeloader',
    bytes: images.safeloader(),
    formats: ['tplink-safeloader'],
    facts: { version: '7.0.0', boards: ['Archer C6 2.0.0'] },
    checksum: 'none',
  },
  {
    title: 'Netgear CHK',
    bytes: images.chk(),
    formats: ['netgear-chk'],
    facts: { version: 'V1.0.0.58_1.0.38', boards: ['U12H240T00_NETGEAR'], region: '1' },
    checksum: 'right',
  },
  {
    title: 'Netgear DNI',
    bytes: images.dni(),
    formats: ['netgear-dni'],
    facts: { version: 'V1.0.2.68', boards: ['R7800'], hardware: '29764958+0+128+512', region: 'WW' },
    checksum: 'right',
  },
  {
    title: 'SEAMA',
    bytes: images.seama(),
    formats: ['seama'],
    facts: { boards: ['wrgac13_dlink.2013gui_dir860lb'], description: '/dev/mtdblock/2' },
    checksum: 'right',
  },
  { title: 'squashfs', bytes: images.squashfs(), formats: ['squashfs'], facts: {}, checksum: 'none' },
  {
    title: 'Android sparse',
    bytes: images.sparse(),
    formats: ['android-sparse'],
    facts: {},
    checksum: 'none',
  },
];

for (const { title, bytes, formats, facts, checksum } of CASES) {
  test(`what a file says of itself: ${title}`, (t) => {
    const found = inspected(bytes);
    t.deepEqual(
      found.findings.map(({ format }) => format),
      formats,
    );
    t.deepEqual(valuesOf(found.facts), facts);
    t.deepEqual(found.broken, []);
    t.deepEqual(found.unread, []);
    t.is(found.findings.at(-1)?.checksum, checksum);
  });
}

test('each fact says where it stands', (t) => {
  const { facts } = inspected(images.withMetadata(images.content(10_000)));
  t.deepEqual(facts.version, { value: '23.05.3', from: 'version.version in the metadata', atByte: 10_008 });
  t.like(inspected(images.chk()).facts.boards, { from: 'the board in the CHK header', atByte: 0x28 });
});

test('what is none of them is nothing, also where it is empty or short', (t) => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), images.content(200_000), Buffer.from('FWx0')]) {
    t.deepEqual(inspected(bytes), { findings: [], facts: {}, broken: [], unread: [] });
  }
});

test('in what portions a file comes makes no difference', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...CASES), fc.integer({ min: 1, max: 70_000 }), ({ bytes }, chunkBytes) => {
      t.deepEqual(
        inspected(bytes, Math.max(chunkBytes, Math.ceil(bytes.length / 2_000))),
        inspected(bytes, bytes.length),
      );
    }),
    { numRuns: 200 },
  );
});

test('of small portions none is held: they are put together as they come', (t) => {
  const file = images.withMetadata(images.content(HEAD_BYTES + 10_000));
  const inspection = new Inspection();
  const portion = Buffer.alloc(7);
  for (let at = 0; at < file.length; at += portion.length) {
    const bytes = file.copy(portion, 0, at);
    inspection.update(portion.subarray(0, bytes));
  }
  t.deepEqual(inspection.end(), inspected(file));
});

test('portions of any size leave the same end of a file, and the CRC-32 of what is before it', (t) => {
  const file = images.withMetadata(images.content(TAIL_BYTES + 200_000));
  for (const sizes of [[16_384, 1], [16_383], [70_000, 3, 20_000]]) {
    const inspection = new Inspection();
    for (let at = 0, portion = 0; at < file.length; portion++) {
      const bytes = sizes[portion % sizes.length] ?? 1;
      inspection.update(file.subarray(at, at + bytes));
      at += bytes;
    }
    t.like(inspection.end(), { broken: [], findings: [{ format: 'fwtool-metadata', checksum: 'right' }] });
  }
});

test('a byte that is another is found wherever the format has a checksum over it', (t) => {
  for (const { title, bytes, checksum } of CASES) {
    if (checksum === 'none') continue;
    const at = Math.floor(bytes.length / 3);
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 0x10;
    const isTar = title.startsWith('sysupgrade.tar') && !title.includes('metadata');
    // Of a tar nothing but its headers is summed.
    if (!isTar) t.not(inspected(other).broken.length, 0, title);
  }
});

test('a file that is cut short is broken where it told of more', (t) => {
  for (const { title, bytes } of CASES) {
    const isTold = /^(uImage|FIT|TRX|SEAMA|Netgear|TP-Link safeloader|sysupgrade.tar)/.test(title);
    if (isTold && !/metadata|behind/.test(title))
      t.not(inspected(bytes.subarray(0, Math.ceil(bytes.length * 0.8))).broken.length, 0, title);
  }
});

test('lengths that lie are told as what they are', (t) => {
  const metadata = images.withMetadata(images.content(10_000));
  metadata.writeUInt32BE(2_000_000, metadata.length - 4);
  t.regex(inspected(metadata).broken.join(), /said to have 2000000 bytes, and there are \d+ up to its end/);
  metadata.writeUInt32BE(3, metadata.length - 4);
  t.regex(inspected(metadata).broken.join(), /said to have 3 bytes/);
  const trx = images.trx();
  trx.writeUInt32LE(0xffffffff, 4);
  t.regex(inspected(trx).broken.join(), /tells of 4294967295 bytes/);
  const chk = images.chk();
  chk.writeUInt32BE(0xffffffff, 4);
  t.regex(inspected(chk).broken.join(), /4294967295 bytes, which none has/);
  const fit = images.fit();
  fit.writeUInt32BE(0xfffffff0, 36);
  t.regex(inspected(fit).broken.join(), /reach beyond/);
});

test('metadata that is no JSON is broken; nested deeper or longer than is read it is not, and never in the way', (t) => {
  const image = images.content(1_000);
  const told = (metadata: unknown) => inspected(images.withMetadata(image, metadata));
  t.regex(told(JSON.parse('{"__proto__": 1}')).broken.join(), /no JSON$/);
  t.regex(told(['a list']).broken.join(), /no JSON object/);
  const deep = Array.from({ length: 50 }).reduce<unknown>((inner) => [inner], 'deep');
  for (const [metadata, reason] of [
    ['x'.repeat(200_000), /at most 131072 are read/],
    [{ deep }, /goes beyond what is read: at most 8 levels/],
  ] as const) {
    const found = told(metadata);
    t.regex(found.unread.join(), reason);
    t.deepEqual([found.broken, found.facts], [[], {}]);
  }
  t.deepEqual(told({ version: 7, supported_devices: [1, { a: 1 }, 'ok'] }).facts.boards?.value, ['ok']);
});

test('metadata that begins before what is read of a file is not broken', (t) => {
  const image = images.content(TAIL_BYTES + 100_000);
  const file = images.withMetadata(image);
  file.writeUInt32BE(TAIL_BYTES + 90_000, file.length - 4);
  const found = inspected(file);
  t.deepEqual(found.broken, []);
  t.regex(found.unread.join(), /^the metadata has 1138576 bytes, and of a file the last 1048576 are read$/);
});

/** A hash node that holds for the data. */
const hashOf = (data: Buffer): images.TreeNode => ({
  name: 'hash-1',
  properties: { algo: images.cString('sha1'), value: createHash('sha1').update(data).digest() },
});

/** A FIT with these images, and what stands behind its tree. */
function fitOf(nodes: readonly images.TreeNode[], behind: Buffer = Buffer.alloc(0)): Buffer {
  const tree = images.tree({ name: '', nodes: [{ name: 'images', nodes }] });
  return Buffer.concat([tree, Buffer.alloc(-tree.length & 3), behind]);
}

test('however often a FIT names one part of the file, that is hashed once', (t) => {
  const data = images.content(50_000);
  const external = (bytes: number) => ({ 'data-size': images.u32be(bytes), 'data-offset': images.u32be(0) });
  const same = Array.from({ length: 900 }, (_, at) => ({
    name: `image-${at}`,
    properties: external(data.length),
    nodes: [hashOf(data)],
  }));
  const found = inspected(fitOf(same, data));
  t.deepEqual(found.broken, []);
  t.like(found.findings, [{ format: 'fit', checksum: 'right' }]);
  t.regex(found.unread.join(), /^unchecked pieces of data of the FIT's images: 899; at most 256 are/);
  const beyond = same.map((image) => ({ ...image, properties: external(0xffffffff) }));
  t.is(inspected(fitOf(beyond, data)).broken.length, 900);
  const elsewhere = { name: 'other', properties: external(data.length), nodes: [hashOf(data)] };
  const outside = images.tree({ name: '', nodes: [{ name: 'elsewhere', nodes: [elsewhere] }] });
  t.like(inspected(outside), { broken: [], unread: [], findings: [{ checksum: 'none' }] });
});

test('data of a FIT that lies in its tree is not checked, as it has passed by then', (t) => {
  const place = { 'data-size': images.u32be(100), 'data-position': images.u32be(40) };
  const nodes = [hashOf(images.content(100))];
  const found = inspected(fitOf([{ name: 'kernel', properties: place, nodes }]));
  t.deepEqual(found.broken, []);
  t.regex(found.unread.join(), /^unchecked pieces of data of the FIT's images: 1;/);
});

test('of more images than any FIT has the data is not checked, and that is said', (t) => {
  const nodes = (bytes: number) =>
    Array.from({ length: 300 }, (_, at) => {
      const data = images.content(bytes, at);
      return { name: `image-${at}`, properties: { data }, nodes: [hashOf(data)] };
    });
  for (const bytes of [5_000, 100]) {
    const found = inspected(fitOf(nodes(bytes)));
    t.like(found, { broken: [], findings: [{ checksum: 'right' }] });
    t.regex(found.unread.join(), /^unchecked pieces of data of the FIT's images: 44;/);
  }
});

test('a long value of an image beside its data is not taken for it', (t) => {
  const [data, other] = [images.content(9_000), images.content(8_000, 2)];
  for (const properties of [
    { data, signature: other },
    { signature: other, data },
  ]) {
    t.like(inspected(fitOf([{ name: 'kernel', properties, nodes: [hashOf(data)] }])), {
      broken: [],
      findings: [{ checksum: 'right' }],
    });
    t.deepEqual(inspected(fitOf([{ name: 'kernel', properties, nodes: [hashOf(other)] }])).broken, [
      'the sha1 of /images/kernel is not that of its data',
    ]);
  }
});

test('a FIT with more properties or deeper nodes than are read is not broken, and names no boards that may be some only', (t) => {
  const config = { name: 'config-1', properties: { compatible: images.cString('vendor,hgw') } };
  const many = Object.fromEntries(Array.from({ length: 4_100 }, (_, at) => [`p${at}`, Buffer.alloc(4)]));
  const deep = Array.from({ length: 20 }).reduce<images.TreeNode>(
    (node) => ({ name: 'deep', nodes: [node] }),
    { name: 'deepest' },
  );
  const odd: readonly (readonly [images.TreeNode, RegExp])[] = [
    [{ name: 'many', properties: many }, /has more properties than the 4096, .* read: it is not read on$/],
    [deep, /has nodes deeper than 16: it is not read on$/],
  ];
  for (const [node, reason] of odd) {
    const properties = { description: images.cString('Vendor firmware 4.2.1') };
    const nodes = [{ name: 'configurations', nodes: [config] }, node];
    const found = inspected(images.tree({ name: '', properties, nodes }));
    t.deepEqual(found.broken, []);
    t.regex(found.unread.join(), reason);
    t.deepEqual(valuesOf(found.facts), { version: '4.2.1', description: 'Vendor firmware 4.2.1' });
  }
});

test('metadata of a snapshot, or of no number, tells no version: the next snapshot is called the same', (t) => {
  const image = images.content(1_000);
  const told = (version: string) =>
    inspected(images.withMetadata(image, { version: { version, revision: 'r25000-1' } })).facts;
  for (const version of ['SNAPSHOT', '23.05-SNAPSHOT', '24.10-Snapshot', 'testing']) {
    t.is(told(version).version, undefined);
    t.is(told(version).description?.value, `${version} r25000-1`);
  }
  t.is(told('23.05.0-rc1').version?.value, '23.05.0-rc1');
});

test('odd members of a tar are broken, and more of them than are read are not', (t) => {
  const odd = (member: images.TarMember) =>
    inspected(
      images.tar([{ name: 'sysupgrade-x/CONTROL', content: Buffer.from('BOARD=x\n') }, member]),
    ).broken.join();
  const content = images.content(10);
  t.regex(odd({ name: '../etc/passwd', content }), /no file within its one directory/);
  t.regex(odd({ name: 'sysupgrade-x/../../a', content }), /no file within its one directory/);
  t.regex(odd({ name: 'sysupgrade-x/link', content, type: '2' }), /no file within its one directory/);
  t.regex(
    odd({ name: 'sysupgrade-x/root', content, size: '\x80\0\0\0\0\0\0\0\0\0\0\x01' }),
    /no octal number/,
  );
  t.regex(odd({ name: 'sysupgrade-x/root', content, size: '77777777777\0' }), /in the midst of a member/);
  const many = Array.from({ length: 100 }, (_, at) => ({ name: `sysupgrade-x/${at}`, content }));
  const control = { name: 'sysupgrade-x/CONTROL', content: Buffer.from('BOARD=x\n') };
  const found = inspected(images.tar([control, ...many]));
  t.deepEqual(found.broken, []);
  t.regex(found.unread.join(), /more than 64 members/);
  t.deepEqual(found.facts.boards?.value, ['x']);
});

test('a SupportList that is longer than is read of it is told of', (t) => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, at) => `{product_name:Archer C6,product_ver:2.0.0,special_id:${at}}`);
  t.deepEqual(inspected(images.safeloader(lines(400))).unread, []);
  const found = inspected(images.safeloader(lines(700)));
  t.deepEqual(found.unread, ['of the SupportList the first 32768 bytes are read']);
  t.deepEqual(found.facts.boards?.value, ['Archer C6 2.0.0']);
});

test('what only begins like a format is none of it', (t) => {
  const yaml = (text: string) => Buffer.from(`${text}\n# ${'settings '.repeat(30)}`);
  for (const text of ['device: a\nmode: bridge', 'other-device: a\nversion: 2', '# device: a\nversion: 2'])
    t.deepEqual(inspected(yaml(text)).findings, [], text);
  const third = images.squashfs();
  third.writeUInt16LE(3, 28);
  third.writeBigUInt64LE(2n ** 60n, 40);
  t.deepEqual(inspected(third).findings, []);
  third.writeUInt16LE(5, 28);
  t.regex(inspected(third).broken.join(), /none of squashfs 4/);
});

const MUTATIONS = Number(process.env['FERRY_PROPERTY_CASES'] ?? 400);

/** So much of a file is held at most, beside what has been found. */
const HELD_MAX = HEAD_BYTES + TAIL_BYTES;

for (const { title, bytes } of CASES) {
  test(`whatever is made of it, it is read to its end: ${title}`, (t) => {
    const small = bytes.length > 40_000 ? bytes.subarray(0, 40_000) : bytes;
    const mutation = fc.record({
      at: fc.nat({ max: small.length - 1 }),
      // Where lengths, counts and names stand more often than elsewhere.
      near: fc.constantFrom('anywhere', 'head', 'tail'),
      put: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.constantFrom(...[0, 0x7f, 0x80, 0xff].map((byte) => new Uint8Array(4).fill(byte))),
      ),
    });
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        fc.nat({ max: small.length }),
        (mutations, cut) => {
          const other = Buffer.from(small);
          for (const { at, near, put } of mutations) {
            const place = near === 'head' ? at % 600 : near === 'tail' ? small.length - 1 - (at % 600) : at;
            other.set(
              put.subarray(0, small.length - Math.max(0, place)),
              Math.max(0, Math.min(place, small.length - put.length)),
            );
          }
          const found = inspected(cut % 5 === 0 ? other.subarray(0, cut) : other, 4_096);
          t.true(JSON.stringify(found).length < HELD_MAX);
        },
      ),
      { numRuns: MUTATIONS },
    );
    t.pass();
  });
}
