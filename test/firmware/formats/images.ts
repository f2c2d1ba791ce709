import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Firmware files of each format, byte by byte, by the table of what the real tools write. */

export const u32be = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const u32le = (value: number) => Buffer.from(u32be(value)).reverse();
const u16be = (value: number) => u32be(value).subarray(2);
const u16le = (value: number) => u32le(value).subarray(0, 2);
const padded = (text: string, bytes: number) => Buffer.concat([Buffer.from(text)], bytes);

/** Bytes that repeat nowhere near, the same in every run. */
export function content(bytes: number, seed = 1): Buffer {
  const filled = Buffer.alloc(bytes);
  let state = seed;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    filled[at] = state >>> 24;
  }
  return filled;
}

export const METADATA = {
  metadata_version: '1.1',
  compat_version: '1.0',
  supported_devices: ['tplink,archer-c7-v5'],
  version: {
    dist: 'OpenWrt',
    version: '23.05.3',
    revision: 'r23809-234f1a2efa',
    target: 'ath79/generic',
    board: 'tplink_archer-c7-v5',
  },
};

/** @param type  0: a signature, 1: information */
function withTrailer(image: Buffer, data: Buffer, type: number): Buffer {
  const before = Buffer.concat([image, data]);
  return Buffer.concat([
    before,
    Buffer.from('FWx0'),
    u32be(~crc32(before)),
    Buffer.of(type, 0, 0, 0),
    u32be(data.length + 16),
  ]);
}

export function withMetadata(image: Buffer, metadata: unknown = METADATA): Buffer {
  return withTrailer(image, Buffer.concat([Buffer.alloc(8), Buffer.from(JSON.stringify(metadata))]), 1);
}

export function withSignature(image: Buffer): Buffer {
  return withTrailer(image, Buffer.from('untrusted comment: signed\nRWQ=\n'), 0);
}

export interface TarMember {
  readonly name: string;
  readonly content: Buffer;
  readonly type?: string;
  /** As the header tells it; as it is, unless told. */
  readonly size?: string;
}

export function tar(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap(({ name, content: bytes, type = '0', size }) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write('ustar\0', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, bytes, Buffer.alloc(Math.ceil(bytes.length / 512) * 512 - bytes.length)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1_024)]);
}

export function sysupgradeTar(board = 'tplink_archer-c7-v5'): Buffer {
  return tar([
    { name: `sysupgrade-${board}/`, content: Buffer.alloc(0), type: '5' },
    { name: `sysupgrade-${board}/CONTROL`, content: Buffer.from(`BOARD=${board}\n`) },
    { name: `sysupgrade-${board}/kernel`, content: content(9_000) },
    { name: `sysupgrade-${board}/root`, content: content(20_000, 2) },
  ]);
}

export function uimage(name = 'Vendor HGW V2.1.7', data = content(5_000)): Buffer {
  const header = Buffer.concat([
    u32be(0x27051956),
    u32be(0),
    u32be(1_700_000_000),
    u32be(data.length),
    u32be(0x80060000),
    u32be(0x80060000),
    u32be(crc32(data)),
    Buffer.of(5, 5, 2, 3),
    padded(name, 32),
  ]);
  header.writeUInt32BE(crc32(header), 4);
  return Buffer.concat([header, data]);
}

export function trx(data = content(6_000)): Buffer {
  const rest = Buffer.concat([u16le(0), u16le(1), u32le(28), u32le(0), u32le(0), data]);
  return Buffer.concat([Buffer.from('HDR0'), u32le(12 + rest.length), u32le(~crc32(rest)), rest]);
}

export function tplinkV1(version = 'ver. 3.17.1'): Buffer {
  const header = Buffer.alloc(512);
  header.writeUInt32BE(0x01000000, 0);
  header.write('TP-LINK Technologies', 4);
  header.write(version, 0x1c);
  header.writeUInt32BE(0x08410001, 0x40);
  header.writeUInt32BE(2, 0x44);
  header.writeUInt32BE(0x7c0000, 0x7c);
  return Buffer.concat([header, content(4_000)]);
}

const ARCHER_C6 = ['45550000', '55530000'].map(
  (id) => `{product_name:Archer C6,product_ver:2.0.0,special_id:${id}}`,
);

export function safeloader(supported: readonly string[] = ARCHER_C6): Buffer {
  const partitions = padded(
    'fwup-ptn partition-table base 0x00800 size 0x00800\t\r\nfwup-ptn soft-version base 0x01000 size 0x00020\t\r\n',
    0x800,
  );
  const texts = Buffer.concat([
    Buffer.alloc(0x1000, 0xff),
    partitions,
    Buffer.from('soft_ver:7.0.0\n\0'),
    Buffer.from(`SupportList:\r\n${supported.map((board) => `${board}\r\n`).join('')}\0`),
    content(3_000).map((byte) => byte | 0x80),
  ]);
  const md5 = createHash('md5').update('a key of the vendor').digest();
  return Buffer.concat([u32be(20 + texts.length), md5, texts]);
}

function netgearSum(bytes: Buffer): number {
  let [one, two] = [0n, 0n];
  for (const byte of bytes) {
    one = (one + BigInt(byte)) % 2n ** 32n;
    two = (two + one) % 2n ** 32n;
  }
  const fold = (sum: bigint) => {
    const halves = (sum & 0xffffn) + (sum >> 16n);
    return (halves + (halves >> 16n)) & 0xffffn;
  };
  return Number((fold(two) << 16n) | fold(one));
}

export function chk(board = 'U12H240T00_NETGEAR'): Buffer {
  const [kernel, root] = [content(70_000), content(2_000, 3)];
  const header = Buffer.concat([
    Buffer.from('*#$^'),
    u32be(0x28 + board.length),
    Buffer.of(1, 1, 0, 0, 58, 1, 0, 38),
    u32be(netgearSum(kernel)),
    u32be(netgearSum(root)),
    u32be(kernel.length),
    u32be(root.length),
    u32be(netgearSum(Buffer.concat([kernel, root]))),
    u32be(0),
    Buffer.from(board),
  ]);
  header.writeUInt32BE(netgearSum(header), 0x24);
  return Buffer.concat([header, kernel, root]);
}

export function dni(): Buffer {
  const body = Buffer.concat([
    padded('device:R7800\nversion:V1.0.2.68\nregion:WW\nhd_id:29764958+0+128+512\n', 128),
    content(3_000),
  ]);
  const sum = body.reduce((total, byte) => (total + byte) & 0xff, 0);
  return Buffer.concat([body, Buffer.of(0xff - sum)]);
}

export function seama(): Buffer {
  const image = content(4_000);
  const seal = padded('signature=wrgac13_dlink.2013gui_dir860lb\0dev=/dev/mtdblock/2\0type=firmware\0', 76);
  const meta = padded('dev=/dev/mtdblock/2\0type=firmware\0', 36);
  return Buffer.concat([
    u32be(0x5ea3a417),
    u16be(0),
    u16be(seal.length),
    u32be(0),
    seal,
    u32be(0x5ea3a417),
    u16be(0),
    u16be(meta.length),
    u32be(image.length),
    createHash('md5').update(image).digest(),
    meta,
    image,
  ]);
}

export function squashfs(): Buffer {
  const block = Buffer.alloc(96);
  block.write('hsqs');
  block.writeUInt32LE(131_072, 12);
  block.writeUInt16LE(4, 28);
  block.writeBigUInt64LE(3_000n, 40);
  return Buffer.concat([block, content(4_000)]);
}

export function sparse(): Buffer {
  const header = Buffer.concat([
    u32le(0xed26ff3a),
    u16le(1),
    u16le(0),
    u16le(28),
    u16le(12),
    u32le(4_096),
    u32le(1),
    u32le(1),
    u32le(0),
  ]);
  const chunk = Buffer.concat([u16le(0xcac1), u16le(0), u32le(1), u32le(4_096 + 12)]);
  return Buffer.concat([header, chunk, content(4_096)]);
}

export interface TreeNode {
  readonly name: string;
  readonly properties?: Readonly<Record<string, Buffer>>;
  readonly nodes?: readonly TreeNode[];
}

export const cString = (...texts: readonly string[]) =>
  Buffer.from(texts.map((text) => `${text}\0`).join(''));
const aligned = (bytes: Buffer) => Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4);

/** A flattened device tree. */
export function tree(root: TreeNode): Buffer {
  const names: string[] = [];
  const nameAt = (name: string) => {
    const at = names.indexOf(name);
    if (at < 0) names.push(name);
    return names.slice(0, at < 0 ? names.length - 1 : at).reduce((sum, each) => sum + each.length + 1, 0);
  };
  const nodeOf = ({ name, properties = {}, nodes = [] }: TreeNode): Buffer =>
    Buffer.concat([
      u32be(1),
      aligned(cString(name)),
      ...Object.entries(properties).flatMap(([property, value]) => [
        u32be(3),
        u32be(value.length),
        u32be(nameAt(property)),
        aligned(value),
      ]),
      ...nodes.map(nodeOf),
      u32be(2),
    ]);
  const structure = Buffer.concat([nodeOf(root), u32be(9)]);
  const strings = cString(...names);
  const structureAt = 40 + 16;
  const header = Buffer.concat(
    [
      0xd00dfeed,
      structureAt + structure.length + strings.length,
      structureAt,
      structureAt + structure.length,
      40,
      17,
      16,
      0,
      strings.length,
      structure.length,
    ].map(u32be),
  );
  return Buffer.concat([header, Buffer.alloc(16), structure, strings]);
}

/** @param external  its data stands behind the tree */
export function fit(external = false, data = content(90_000)): Buffer {
  const place = external ? { 'data-size': u32be(data.length), 'data-offset': u32be(0) } : { data };
  const whole = tree({
    name: '',
    properties: { description: cString('Vendor firmware 4.2.1'), timestamp: u32be(1_700_000_000) },
    nodes: [
      {
        name: 'images',
        nodes: [
          {
            name: 'kernel-1',
            properties: {
              description: cString('ARM64 OpenWrt Linux-5.15.150'),
              ...place,
              type: cString('kernel'),
            },
            nodes: [
              { name: 'hash-1', properties: { algo: cString('crc32'), value: u32be(crc32(data)) } },
              {
                name: 'hash-2',
                properties: { algo: cString('sha1'), value: createHash('sha1').update(data).digest() },
              },
            ],
          },
        ],
      },
      {
        name: 'configurations',
        properties: { default: cString('config-1') },
        nodes: [
          {
            name: 'config-1',
            properties: {
              description: cString('OpenWrt'),
              compatible: cString('vendor,hgw-9', 'vendor,hgw'),
            },
          },
        ],
      },
    ],
  });
  return external ? Buffer.concat([aligned(whole), data]) : whole;
}
