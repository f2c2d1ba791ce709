import { generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import test from 'ava';
import { ImageError } from '../../../firmware/index.js';
import { parsePublicKey } from '../../../firmware/signatures/public-key.js';
import { parseSignature } from '../../../firmware/signatures/signature.js';
import { keyOf, WHOLE_BYTES_MAX } from '../../../firmware/signatures/verify.js';
import { newSigner, PUBLISHED, withComment } from './signer.js';

const CONTENT = Buffer.from('the bytes of a firmware image');
const contentOf = (bytes: Buffer) => ({ sizeBytes: bytes.length, read: () => Readable.from([bytes]) });

async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof ImageError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'verified';
}

test('each form of a signature is verified by its key, in each form of the key', async (t) => {
  const signer = newSigner();
  const numbered = [
    signer.minisignPub,
    signer.minisignPub.split('\n')[1] ?? '',
    signer.minisignPub.replaceAll('\n', '\r\n'),
  ];
  const alone = [signer.pem, signer.publicKey.toString('base64')];
  const signed = (file: Buffer, text: string) =>
    keyOf(parseSignature(file), [parsePublicKey(text)], contentOf(CONTENT));
  for (const text of numbered) {
    for (const file of [signer.minisig(CONTENT), signer.minisig(CONTENT, 'Ed'), signer.usign(CONTENT)]) {
      t.like(await signed(file, text), { keyId: signer.keyId, algorithm: 'minisign' });
    }
  }
  const signature = signer.alone(CONTENT);
  for (const text of alone) {
    for (const file of [signature, signature.toString('base64'), `${signature.toString('hex')}\n`]) {
      t.is((await signed(Buffer.from(file), text)).algorithm, 'ed25519');
    }
  }
});

test('what minisign itself has signed is verified, by its published key and no other bytes', async (t) => {
  const key = parsePublicKey(PUBLISHED.publicKey);
  t.is(key.keyId, PUBLISHED.keyId);
  for (const [file, comment] of [
    [PUBLISHED.legacy, 'timestamp:1555779966\tfile:test'],
    [PUBLISHED.prehashed, 'timestamp:1633700835\tfile:test\tprehashed'],
  ] as const) {
    const signature = parseSignature(file);
    t.is(signature.trusted?.comment, comment);
    t.is(await keyOf(signature, [key], contentOf(PUBLISHED.content)), key);
    t.regex(
      await refusal(() => keyOf(signature, [key], contentOf(Buffer.from('Test')))),
      /^bad-signature: .*E7620F1842B4E81F/,
    );
  }
});

test('a bit of a signature, of its content or of its trusted comment is not changed unseen', async (t) => {
  const signer = newSigner();
  const key = parsePublicKey(signer.minisignPub);
  const verified = (file: Buffer, content = CONTENT) =>
    refusal(() => keyOf(parseSignature(file), [key], contentOf(content)));
  for (const kind of ['Ed', 'ED'] as const) {
    const file = signer.minisig(CONTENT, kind);
    t.is(await verified(file), 'verified');
    t.regex(await verified(file, Buffer.concat([CONTENT, Buffer.from('.')])), /^bad-signature/);
    t.regex(await verified(withComment(file, 'version:9.9.9')), /trusted comment is not what was signed/);
    const [first = '', base64 = '', ...rest] = file.toString().split('\n');
    const bytes = Buffer.from(base64, 'base64');
    for (let byte = 0; byte < bytes.length; byte++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
      const text = [first, flipped.toString('base64'), ...rest].join('\n');
      t.regex(await verified(Buffer.from(text)), /^bad-signature/, `byte ${byte}`);
    }
  }
});

test('of another key with the same number it is not taken, and of a number that nobody has neither', async (t) => {
  const number = Buffer.from('0123456789abcdef', 'hex');
  const [right, wrong, other] = [newSigner(number), newSigner(number), newSigner()];
  t.is(right.keyId, 'EFCDAB8967452301');
  const verified = (...keys: readonly string[]) =>
    refusal(() =>
      keyOf(parseSignature(right.minisig(CONTENT)), keys.map(parsePublicKey), contentOf(CONTENT)),
    );
  t.is(await verified(other.minisignPub, wrong.minisignPub, right.minisignPub), 'verified');
  t.regex(await verified(wrong.minisignPub), /by the key EFCDAB8967452301 it is not a signature/);
  t.regex(await verified(other.minisignPub), /the key EFCDAB8967452301, which is not among those that hold/);
  t.regex(await verified(), /there are no keys .* ferry image key add/);
  // A key alone is tried only for what names none.
  t.regex(await verified(right.pem), /not among those that hold/);
});

test('what must be held as a whole is bounded before it is read, and the hashed form is not', async (t) => {
  const signer = newSigner();
  const large = {
    sizeBytes: WHOLE_BYTES_MAX + 1,
    read: (): Readable => {
      throw new Error('must not be read');
    },
  };
  for (const [file, text] of [
    [signer.usign(CONTENT), signer.minisignPub],
    [signer.minisig(CONTENT, 'Ed'), signer.minisignPub],
    [signer.alone(CONTENT), signer.pem],
  ] as const) {
    const key = parsePublicKey(text);
    t.regex(
      await refusal(() => keyOf(parseSignature(file), [key], large)),
      /67108864 bytes.*sign it with minisign/,
    );
  }
  const hashed = {
    sizeBytes: WHOLE_BYTES_MAX + 1,
    read: () => Readable.from([CONTENT.subarray(0, 5), CONTENT.subarray(5)]),
  };
  const key = parsePublicKey(signer.minisignPub);
  t.is(await keyOf(parseSignature(signer.minisig(CONTENT)), [key], hashed), key);
});

test('what is no signature is refused as such', async (t) => {
  const signer = newSigner();
  const file = signer.minisig(CONTENT).toString();
  const lines = file.trimEnd().split('\n');
  const broken: readonly (string | Buffer)[] = [
    '',
    'x'.repeat(4_097),
    Buffer.alloc(63),
    Buffer.alloc(64, 0xff).toString('hex').slice(1),
    'untrusted comment: nothing follows\n',
    // Of the hashed form the trusted comment belongs to it.
    lines.slice(0, 2).join('\n'),
    lines.slice(0, 3).join('\n'),
    [...lines, 'more'].join('\n'),
    file.replace('trusted comment: timestamp', 'a comment: timestamp'),
    withComment(Buffer.from(file), 'with \u001b[2J a control'),
    Buffer.concat([Buffer.from(file.slice(0, -2)), Buffer.from([0xff])]),
    `untrusted comment: x\n${Buffer.concat([Buffer.from('RS'), Buffer.alloc(72)]).toString('base64')}\n`,
  ];
  for (const each of broken) {
    t.regex(
      await refusal(() => parseSignature(Buffer.from(each))),
      /^bad-signature: .*minisign/,
      String(each).slice(0, 80),
    );
  }
});

test('what is no public key is refused as such, a private one above all', async (t) => {
  const ed25519 = generateKeyPairSync('ed25519');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const broken = [
    '',
    'x'.repeat(4_097),
    'RWQf6LRCGA9i53ml',
    Buffer.concat([Buffer.from('RS'), Buffer.alloc(40)]).toString('base64'),
    `${newSigner().minisignPub}${newSigner().minisignPub}`,
    ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
  ];
  for (const text of broken)
    t.regex(await refusal(() => parsePublicKey(text)), /^invalid-key: publicKey must be/);
});
