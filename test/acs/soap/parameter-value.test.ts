import test from 'ava';
import fc from 'fast-check';
import type { ParameterValue } from '../../../rules/index.js';
import { decodeBody } from './envelopes.js';

function decodeValue(
  text: string,
  type: string | null,
): { value: ParameterValue; xsdType: string } | undefined {
  const attribute = type === null ? '' : ` ${type}`;
  const message = decodeBody(
    '<cwmp:GetParameterValuesResponse><ParameterList><ParameterValueStruct><Name>a</Name>' +
      `<Value${attribute}>${text}</Value></ParameterValueStruct></ParameterList></cwmp:GetParameterValuesResponse>`,
  );
  return message.type === 'GetParameterValuesResponse' ? message.parameters[0] : undefined;
}

const CASES: readonly (readonly [string, string | null, ParameterValue, string])[] = [
  ['1', 'xsi:type="xsd:boolean"', true, 'boolean'],
  [' TRUE ', 'xsi:type="xsd:boolean"', true, 'boolean'],
  ['0', 'xsi:type="xsd:boolean"', false, 'boolean'],
  ['maybe', 'xsi:type="xsd:boolean"', 'maybe', 'boolean'],
  ['-12', 'xsi:type="xsd:int"', -12, 'int'],
  ['+7', 'xsi:type="xsd:int"', 7, 'int'],
  ['-0', 'xsi:type="xsd:int"', 0, 'int'],
  [' 4294967295\n', 'xsi:type="xsd:unsignedInt"', 4_294_967_295, 'unsignedInt'],
  ['9007199254740991', 'xsi:type="xsd:long"', Number.MAX_SAFE_INTEGER, 'long'],
  ['9007199254740993', 'xsi:type="xsd:unsignedLong"', '9007199254740993', 'unsignedLong'],
  ['1e3', 'xsi:type="xsd:int"', '1e3', 'int'],
  ['', 'xsi:type="xsd:int"', '', 'int'],
  ['2026-01-01T00:00:00Z ', 'xsi:type="xsd:dateTime"', '2026-01-01T00:00:00Z', 'dateTime'],
  [' 1.0\r\n', 'xsi:type="xsd:string"', '1.0', 'string'],
  ['\t a b \n', null, 'a b', 'string'],
  [' 1e3 ', 'xsi:type="xsd:int"', '1e3', 'int'],
  [' maybe ', 'xsi:type="xsd:boolean"', 'maybe', 'boolean'],
  ['AA==', 'xsi:type="soap-enc:base64"', 'AA==', 'base64'],
  ['1', 'xsi:type="string"', '1', 'string'],
  ['1', 'type="int"', 1, 'int'],
  ['1', 'xsi:type=""', '1', 'string'],
  ['1', null, '1', 'string'],
];
for (const [text, type, value, xsdType] of CASES) {
  test(`${JSON.stringify(text)} with ${type ?? 'no type'} is ${JSON.stringify(value)} (${xsdType})`, (t) => {
    t.like(decodeValue(text, type), { value, xsdType });
  });
}

test('a long xsi:type is cut', (t) => {
  t.is(decodeValue('1', `xsi:type="xsd:${'t'.repeat(1_000)}"`)?.xsdType, 't'.repeat(64));
});

test('an integer becomes a number exactly where the number says the same', (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), (integer) => {
      const value = decodeValue(String(integer), 'xsi:type="xsd:long"')?.value;
      t.is(typeof value === 'number', integer >= -(2n ** 53n) + 1n && integer <= 2n ** 53n - 1n);
      t.is(String(value), String(integer));
    }),
    { numRuns: 300 },
  );
});
