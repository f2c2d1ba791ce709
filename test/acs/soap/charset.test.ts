import test from 'ava';
import { decodeEnvelope } from '../../../acs/soap/index.js';
import { answerOf, envelope, INFORM } from './envelopes.js';

const NAMED = envelope(INFORM.replace('ACME', 'Müller'));

function manufacturer(body: Buffer, contentType?: string): string {
  const { message } = decodeEnvelope(body, contentType);
  return message.type === 'Inform' ? message.deviceId.manufacturer : message.type;
}

function declared(encoding: string): string {
  return `<?xml version="1.0" encoding="${encoding}"?>${NAMED}`;
}

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

test('without any word about it, the charset is UTF-8', (t) => {
  t.is(manufacturer(Buffer.from(NAMED)), 'Müller');
  t.is(manufacturer(Buffer.from(NAMED), 'text/xml'), 'Müller');
});

test('Content-Type names the charset, quoted or not, in any case, among other parameters', (t) => {
  const latin1 = Buffer.from(NAMED, 'latin1');
  for (const value of [
    'text/xml;charset=iso-8859-1',
    'text/xml; charset="ISO-8859-1"',
    "text/xml; Charset='latin1'",
    'text/xml; a=b; charset = windows-1252; c=d',
  ]) {
    t.is(manufacturer(latin1, value), 'Müller', value);
  }
});

test('Content-Type wins over the XML declaration', (t) => {
  t.is(manufacturer(Buffer.from(declared('ISO-8859-1')), 'text/xml; charset=utf-8'), 'Müller');
});

test('a byte order mark wins over the XML declaration', (t) => {
  t.is(manufacturer(Buffer.from(`\ufeff${declared('ISO-8859-1')}`)), 'Müller');
  t.is(manufacturer(Buffer.from(`\ufeff${declared('utf-8')}`, 'utf16le')), 'Müller');
  t.is(manufacturer(utf16be(`\ufeff${declared('utf-8')}`)), 'Müller');
});

test('the XML declaration names the charset where nothing else does', (t) => {
  t.is(manufacturer(Buffer.from(declared('ISO-8859-1'), 'latin1'), 'text/xml'), 'Müller');
  t.is(manufacturer(Buffer.from(declared('ISO-8859-1').replaceAll('"', "'"), 'latin1')), 'Müller');
});

test('a declaration of UTF-16 in bytes that are not is passed over', (t) => {
  t.is(manufacturer(Buffer.from(declared('UTF-16'))), 'Müller');
});

test('UTF-16 by Content-Type goes by the byte order mark, and is little-endian without one', (t) => {
  t.is(manufacturer(utf16be(`\ufeff${NAMED}`), 'text/xml; charset=utf-16'), 'Müller');
  t.is(manufacturer(Buffer.from(NAMED, 'utf16le'), 'text/xml; charset=UTF-16'), 'Müller');
});

function read(body: Buffer | string, contentType?: string): { name: string; mended: readonly string[] } {
  const { message, mended } = decodeEnvelope(Buffer.from(body), contentType);
  return { name: message.type === 'Inform' ? message.deviceId.manufacturer : message.type, mended };
}

test('a charset that is not known is passed over, for the one declared or UTF-8', (t) => {
  for (const name of ['klingon', 'none', '""', '-', 'x'.repeat(10_000), 'utf-16']) {
    const { name: manufacturer, mended } = read(NAMED, `text/xml; charset=${name}`);
    t.is(manufacturer, 'Müller', name);
    t.deepEqual(mended, name === '""' ? [] : ['charset'], name);
  }
  t.deepEqual(read(declared('x-klingon')), { name: 'Müller', mended: ['charset'] });
  t.deepEqual(read(declared('')), { name: 'Müller', mended: ['charset'] });
  const latin1 = Buffer.from(declared('ISO-8859-1'), 'latin1');
  t.deepEqual(read(latin1, 'text/xml; charset=none'), { name: 'Müller', mended: ['charset'] });
});

test('a misspelt charset is the one that is meant, also before a comma', (t) => {
  const latin1 = Buffer.from(NAMED, 'latin1');
  for (const name of ['latin-1', 'ISO_8859_1', 'latin1, text/xml', 'iso-8859-1,utf-8']) {
    t.deepEqual(read(latin1, `text/xml; charset=${name}`), { name: 'Müller', mended: ['charset'] }, name);
  }
  for (const name of ['UTF_8', 'utf--8', 'Utf8, utf-8', 'utf-8,gbk']) {
    t.deepEqual(read(NAMED, `text/xml; charset=${name}`), { name: 'Müller', mended: ['charset'] }, name);
  }
});

test('a byte order mark counts before a name that contradicts it', (t) => {
  const utf16 = Buffer.from(`\ufeff${NAMED}`, 'utf16le');
  t.deepEqual(read(utf16, 'text/xml; charset=utf-8'), { name: 'Müller', mended: ['charset'] });
  t.deepEqual(read(`\ufeff${NAMED}`, 'text/xml; charset=latin1'), { name: 'Müller', mended: ['charset'] });
});

test('bytes that are not text in their charset become U+FFFD, each for itself', (t) => {
  const said = (bytes: readonly number[], contentType?: string) => {
    const [before = '', after = ''] = NAMED.split('Müller');
    return read(Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]), contentType);
  };
  const mended = ['bytes'];
  t.deepEqual(said([0x4d, 0xfc, 0x6c]), { name: 'M\ufffdl', mended });
  t.deepEqual(said([0x4d, 0xfc, 0x6c], 'text/xml; charset=utf-8'), { name: 'M\ufffdl', mended });
  t.deepEqual(said([0xc2, 0xb7, 0xd3, 0xc9]), { name: '·\ufffd\ufffd', mended }, '路由 in GB 2312');
  t.deepEqual(said([0xe8, 0xb7]), { name: '\ufffd', mended }, 'a sequence that is cut');
  t.deepEqual(said([0x41, 0x81], 'text/xml; charset=shift_jis'), { name: 'A\ufffd', mended });
  t.is(answerOf(Buffer.from([0xff, 0xfe, 0x3c]), undefined), 400);
});
