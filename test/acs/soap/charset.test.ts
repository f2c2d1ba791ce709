import test from 'ava';
import { decodeEnvelope } from '../../../acs/soap/index.js';
import { answerOf, envelope, INFORM, refusalOf } from './envelopes.js';

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

test('a charset that is not known is HTTP 415, and named', (t) => {
  t.is(answerOf(NAMED, 'text/xml; charset=klingon'), 415);
  t.is(answerOf(declared('x-klingon')), 415);
  t.is(answerOf(declared('')), 415);
  t.regex(
    refusalOf(NAMED, `text/xml; charset=${'x'.repeat(10_000)}`).message,
    /^The charset "x{64}" is not known/,
  );
});

test('bytes that are not text in their charset are HTTP 400', (t) => {
  t.is(answerOf(Buffer.from(NAMED, 'latin1')), 400);
  t.is(answerOf(Buffer.from(NAMED, 'latin1'), 'text/xml; charset=utf-8'), 400);
  t.is(answerOf(Buffer.from([0xff, 0xfe, 0x3c]), undefined), 400);
});
