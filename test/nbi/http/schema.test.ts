import test from 'ava';
import { told } from '../../../nbi/http/index.js';

test('a schema is told without its words and what it keeps to itself, and with properties whatever they are called', (t) => {
  const schema = {
    type: 'object',
    expected: 'an object',
    minProperties: 1,
    untold: ['minProperties'],
    properties: {
      expected: { type: 'string', expected: 'a word' },
      untold: { type: 'array', items: { type: 'string', minLength: 1, untold: ['minLength'] } },
      default: { enum: ['expected'], default: { expected: 1 }, expected: 'expected' },
    },
    example: { expected: 'kept' },
  };
  t.deepEqual(told(schema), {
    type: 'object',
    properties: {
      expected: { type: 'string' },
      untold: { type: 'array', items: { type: 'string' } },
      default: { enum: ['expected'], default: { expected: 1 } },
    },
    example: { expected: 'kept' },
  });
});
