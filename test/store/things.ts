import type { Document } from '../../store/index.js';

/** What the tests of the store keep. */
export interface Thing extends Document {
  readonly n?: unknown;
  readonly s?: unknown;
  readonly tags?: unknown;
  readonly deep?: unknown;
}

export const THINGS = {
  name: 'things',
  indexes: {
    n: ['n'],
    s: ['s'],
    tags: ['tags'],
    deep: ['deep.er.value'],
    's-n': ['s', 'n'],
    'tags-n': ['tags', 'n'],
  },
};

export function given<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('Expected a value');
  return value;
}
