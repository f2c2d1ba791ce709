import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** Somebody who signs, with a key made for the test, in the forms as their specifications have them, byte by byte. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** As minisign prints the key's number: eight bytes as a number whose lowest byte comes first. */
  readonly keyId: string;
  /** `minisign.pub`, as usign and signify write it too. */
  readonly minisignPub: string;
  readonly pem: string;
  /** The 64 bytes of Ed25519 over the content. */
  alone(content: Buffer): Buffer;
  /** Two lines: a comment, and base64 of `Ed`, the key's number and the signature of the bytes. */
  usign(content: Buffer): Buffer;
  /**
   * Four lines: the third a comment, the fourth the signature of signature and comment together.
   * @param kind  `Ed`: of the bytes; `ED`: of their BLAKE2b-512
   */
  minisig(content: Buffer, kind?: 'Ed' | 'ED', comment?: string): Buffer;
}

export function newSigner(number: Buffer = randomBytes(8)): Signer {
  const { publicKey: key, privateKey } = generateKeyPairSync('ed25519');
  const publicKey = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
  const ed25519 = (bytes: Buffer) => sign(null, bytes, privateKey);
  const numbered = (kind: string, signature: Buffer) =>
    Buffer.concat([Buffer.from(kind), number, signature]).toString('base64');
  return {
    publicKey,
    keyId: [...number]
      .reverse()
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase(),
    minisignPub: `untrusted comment: minisign public key\n${Buffer.concat([
      Buffer.from('Ed'),
      number,
      publicKey,
    ]).toString('base64')}\n`,
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
    alone: ed25519,
    usign: (content) =>
      Buffer.from(`untrusted comment: signed by key\n${numbered('Ed', ed25519(content))}\n`),
    minisig(content, kind = 'ED', comment = 'timestamp:1700000000\tfile:fw.bin\thashed') {
      const hashed = kind === 'ED' ? createHash('blake2b512').update(content).digest() : content;
      const signature = ed25519(hashed);
      const global = ed25519(Buffer.concat([signature, Buffer.from(comment)]));
      return Buffer.from(
        `untrusted comment: signature from minisign secret key\n${numbered(kind, signature)}\n` +
          `trusted comment: ${comment}\n${global.toString('base64')}\n`,
      );
    },
  };
}

/** A file of minisign with another comment under the same signatures. */
export function withComment(minisig: Buffer, comment: string): Buffer {
  return Buffer.from(minisig.toString().replace(/^trusted comment: .*$/m, `trusted comment: ${comment}`));
}

/**
 * The example in the documentation of `minisign-verify` (MIT), by the author of minisign: his public key, and two signatures of the four
 * bytes `test`.
 */
export const PUBLISHED = {
  keyId: 'E7620F1842B4E81F',
  publicKey: 'RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3',
  content: Buffer.from('test'),
  legacy: Buffer.from(
    'untrusted comment: signature from minisign secret key\n' +
      'RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=\n' +
      'trusted comment: timestamp:1555779966\tfile:test\n' +
      'QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==',
  ),
  prehashed: Buffer.from(
    'untrusted comment: signature from minisign secret key\n' +
      'RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n' +
      'trusted comment: timestamp:1633700835\tfile:test\tprehashed\n' +
      'wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==',
  ),
};
