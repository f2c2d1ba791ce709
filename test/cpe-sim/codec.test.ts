import test from 'ava';
import fc from 'fast-check';
import { CWMP_VERSIONS, SAMPLE_STYLES } from '../../cpe-sim/index.js';
import { decodeEnvelope, encodeEnvelope } from '../../cpe-sim/soap/index.js';
import { requireValidEnvelopes } from '../support/cwmp-schema.js';

/** Texts that XML can carry; white space alone is dropped by xml2js. */
const text = fc
  .string({ maxLength: 40, unit: 'binary' })
  .map((value) => value.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, ''))
  .filter((value) => value.trim() !== '');

// The one message that travels both ways, so that one codec's two halves can be held against each other.
test('any text survives in any style, charset and version, and every envelope is valid', async (t) => {
  const envelopes: string[] = [];
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 5 }),
      text,
      fc.constantFrom(...SAMPLE_STYLES),
      fc.constantFrom(...CWMP_VERSIONS),
      (methods, id, style, version) => {
        const bytes = encodeEnvelope({ type: 'GetRPCMethodsResponse', methods }, id, version, style);
        const xml = bytes.toString(style.charset === 'utf-8' ? 'utf8' : 'latin1');
        envelopes.push(xml);
        t.deepEqual(decodeEnvelope(xml), {
          id,
          holdRequests: false,
          message: { type: 'GetRPCMethodsResponse', methods },
        });
      },
    ),
    { numRuns: 300 },
  );
  await requireValidEnvelopes(envelopes);
});

test('characters that XML cannot carry are left out, and the envelope stays well-formed', (t) => {
  const [style] = SAMPLE_STYLES;
  if (style === undefined) return t.fail();
  const methods = ['a\u0000b\u001fc\ud800d\uffffe'];
  const bytes = encodeEnvelope({ type: 'GetRPCMethodsResponse', methods }, null, '1.2', style);
  t.like(decodeEnvelope(bytes.toString()), { message: { methods: ['abcde'] } });
});
