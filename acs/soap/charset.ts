import { isAscii } from 'node:buffer';
import { SoapError } from './message.js';

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** How far into the bytes an XML declaration is looked for: the longest sensible one has about 60 characters. */
const DECLARATION_BYTES_MAX = 256;

/**
 * Decodes the bytes of an envelope. The charset is the one of Content-Type, else of the byte order mark, else of the
 * XML declaration, else UTF-8 (RFC 7303 section 3 puts the byte order mark first, but CPEs that name a charset in
 * Content-Type mean it). A byte order mark and white space before the envelope are dropped.
 *
 * @throws SoapError 415 for a charset that is not known, 400 for bytes that are not text in it
 */
export function decodeText(body: Buffer, contentType: string | undefined): string {
  const mark = byteOrderMark(body);
  const named = charsetOf(contentType);
  // "utf-16" leaves the byte order to the mark; the decoder of that name would take little-endian for granted.
  const charset = (named === 'utf-16' ? (mark ?? named) : named) ?? mark ?? declaredEncoding(body) ?? 'utf-8';
  // Nearly all of CWMP is ASCII, which needs no checking and no conversion.
  if (charset === 'utf-8' && isAscii(body)) return body.toString('latin1').trimStart();
  const decoder = charset === 'utf-8' ? UTF_8 : decoderFor(charset);
  try {
    return decoder.decode(body).trimStart();
  } catch {
    throw new SoapError(`The body is not valid ${charset}; send it in the charset that it names`, {
      kind: 'http',
      status: 400,
    });
  }
}

function charsetOf(contentType: string | undefined): string | null {
  if (contentType === undefined || contentType === 'text/xml') return null;
  if (contentType === 'text/xml; charset=utf-8' || contentType === 'text/xml; charset="utf-8"')
    return 'utf-8';
  const match = /;\s*charset\s*=\s*["']?([^\s;"']+)/i.exec(contentType);
  return match?.[1]?.toLowerCase() ?? null;
}

function byteOrderMark(body: Buffer): string | null {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return 'utf-8';
  if (body[0] === 0xfe && body[1] === 0xff) return 'utf-16be';
  if (body[0] === 0xff && body[1] === 0xfe) return 'utf-16le';
  return null;
}

function declaredEncoding(body: Buffer): string | null {
  const start = body.toString('latin1', 0, DECLARATION_BYTES_MAX);
  const match = /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']/.exec(start);
  const encoding = match?.[1]?.toLowerCase() ?? null;
  // A declaration that could be read byte by byte is not in UTF-16, whatever it says of itself.
  return encoding?.startsWith('utf-16') ? null : encoding;
}

function decoderFor(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    throw new SoapError(`The charset ${JSON.stringify(charset.slice(0, 64))} is not known; send UTF-8`, {
      kind: 'http',
      status: 415,
    });
  }
}
