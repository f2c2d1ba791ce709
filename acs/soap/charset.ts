import { isAscii } from 'node:buffer';
import { type Mend, SoapError } from './message.js';

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

/**
 * The text of an envelope that {@link decodeText} or the strict reader has refused. A byte order mark counts before the names, as
 * bytes say more than a word about them; a misspelt name is read as the charset that it is nearest to, an unknown one passed over.
 * Bytes that are not text in the charset become U+FFFD, each sequence for itself: the rest of the text, an identity above all, stays
 * what it is in the same CPE's other messages. To read them as ISO-8859-1 would say what nobody knows, and be wrong for GB 2312.
 *
 * @param mended  takes what was put right
 */
export function forgivingText(body: Buffer, contentType: string | undefined, mended: Set<Mend>): string {
  const mark = byteOrderMark(body);
  const named = charsetOf(contentType);
  const decoder = mark === null ? namedDecoder(body, named, mended) : new TextDecoder(mark);
  if (mark !== null && named !== null && named !== mark && named !== 'utf-16') mended.add('charset');
  try {
    return new TextDecoder(decoder.encoding, { fatal: true }).decode(body).trimStart();
  } catch {
    mended.add('bytes');
    return decoder.decode(body).trimStart();
  }
}

function namedDecoder(
  body: Buffer,
  named: string | null,
  mended: Set<Mend>,
): InstanceType<typeof TextDecoder> {
  for (const name of [named, declaredEncoding(body)]) {
    if (name === null) continue;
    const decoder = nearestDecoder(name);
    const isUsable = decoder !== null && !(decoder.encoding.startsWith('utf-16') && isByteWise(body));
    if (!isUsable || !isKnown(name)) mended.add('charset');
    if (isUsable) return decoder;
  }
  return new TextDecoder('utf-8');
}

/** Markup that can be read byte by byte is not in UTF-16, whatever is said of it. */
function isByteWise(body: Buffer): boolean {
  return body[0] === LESS_THAN && body[1] !== undefined && body[1] !== 0;
}

const LESS_THAN = 0x3c;

/** `UTF_8`, `latin-1`, `utf-8, text/xml`: the name itself, then its beginning, then its letters and digits alone. */
function nearestDecoder(name: string): InstanceType<typeof TextDecoder> | null {
  const [first = ''] = name.split(',');
  for (const spelling of [name, first, first.replace(/[^a-z0-9]/g, '')]) {
    if (isKnown(spelling)) return new TextDecoder(spelling);
  }
  return null;
}

function isKnown(charset: string): boolean {
  try {
    new TextDecoder(charset);
    return true;
  } catch {
    return false;
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
