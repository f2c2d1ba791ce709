import test from 'ava';
import {
  boundFromTexts,
  type Fields,
  filterFromJson,
  filterFromTexts,
  holds,
  valueAt,
} from '../../nbi/dyn/fields.js';
import { ApiError } from '../../nbi/http/index.js';

const fields: Fields = {
  enabled: 'boolean',
  priority: 'number',
  at: 'time',
  tags: 'string',
  condition: 'string',
  'condition.*': 'any',
};

const found = (path: string, texts: readonly string[], view: Record<string, unknown>) =>
  holds(filterFromTexts(fields, path, texts), view);

test('a text is compared as the type of its field', (t) => {
  t.true(found('enabled', ['true'], { enabled: true }));
  t.false(found('enabled', ['true'], { enabled: 'true' }));
  t.true(found('priority', ['1.0'], { priority: 1 }));
  t.false(found('priority', ['1'], {}));
});

test('below an open field a text means itself and the value it spells', (t) => {
  t.true(found('condition.Up', ['true'], { condition: { Up: true } }));
  t.true(found('condition.Up', ['true'], { condition: { Up: 'true' } }));
  t.true(found('condition.Up', ['null'], { condition: { Up: null } }));
  t.false(found('condition.Up', ['1'], { condition: { Up: true } }));
});

test('a number is compared with a bound as the parameter reads in a URL', (t) => {
  const within = (query: string, view: Record<string, unknown>) => {
    const [[name = '', text = ''] = []] = [...new URLSearchParams(query)];
    const bound = boundFromTexts(fields, name, [text]);
    return bound === null ? null : holds(bound, view);
  };
  const one = (priority: unknown) => [
    within('priority<5', { priority }),
    within('priority<=5', { priority }),
    within('priority>5', { priority }),
    within('priority>=5', { priority }),
  ];
  t.deepEqual(one(4), [true, true, false, false]);
  t.deepEqual(one(5), [false, true, false, true]);
  t.deepEqual(one(6), [false, false, true, true]);
  for (const none of [undefined, null, '4', [4]]) t.deepEqual(one(none), [false, false, false, false]);
  t.true(within('at<2026-01-01T00:00:00Z', { at: Date.UTC(2025, 11, 31) / 1_000 }));
  t.false(within('at%3C%3D2026-01-01T00:00:00Z', { at: Date.UTC(2026, 0, 2) / 1_000 }));
  t.true(within('at%3C%3D2026-01-01T00:00:00Z', { at: Date.UTC(2026, 0, 1) / 1_000 }));
  t.true(within('at>-1.5e1', { at: 0 }));
  // What is no number, and no comparison, is a field of that name, if of any.
  for (const query of ['tags<5', 'condition.x<5', 'nope<5', '<5', 'priority=5'])
    t.is(within(query, {}), null, query);
});

test('a bound that is no number, or more than one, is a 400 that names field and comparison', (t) => {
  const attempts: readonly (readonly [string, readonly string[], string])[] = [
    ['priority<', [''], 'priority<'],
    ['priority<x', [''], 'priority<'],
    ['priority<5', ['6'], 'priority<'],
    ['priority>', ['5', '6'], 'priority>'],
    ['priority>2026-01-01T00:00:00Z', [''], 'priority>'],
    ['priority<<5', [''], 'priority<'],
    ['at<2026-02-31T00:00:00Z', [''], 'at<'],
    ['at<2026-01-01T00:00:00', [''], 'at<'],
  ];
  for (const [name, texts, field] of attempts) {
    const error = t.throws(() => boundFromTexts(fields, name, texts), { instanceOf: ApiError }, name);
    t.deepEqual([error?.status, error?.problems[0]?.field], [400, field], name);
  }
});

test('a repeated parameter is any of its values, and an array field has any of its elements', (t) => {
  t.true(found('priority', ['1', '2'], { priority: 2 }));
  t.true(found('tags', ['b'], { tags: ['a', 'b'] }));
  t.false(found('tags', ['c'], { tags: ['a', 'b'] }));
});

test('a dotted path finds keys that hold dots themselves', (t) => {
  t.is(valueAt({ condition: { 'Interface.1.Up': 5 } }, 'condition.Interface.1.Up'), 5);
  t.is(valueAt({ a: { b: { c: 1 } }, 'a.b': { d: 2 } }, 'a.b.d'), 2);
  t.is(valueAt({ a: 1 }, 'a.b'), undefined);
  t.is(valueAt({}, 'constructor.name'), undefined);
});

test('an unknown field, a value of another type and too many values are 400s that name the field', (t) => {
  const attempts: readonly (readonly [string, () => unknown])[] = [
    ['nope', () => filterFromTexts(fields, 'nope', ['1'])],
    ['__proto__', () => filterFromTexts(fields, '__proto__', ['1'])],
    ['toString', () => filterFromTexts(fields, 'toString', ['1'])],
    ['priority.x', () => filterFromTexts(fields, 'priority.x', ['1'])],
    ['enabled', () => filterFromTexts(fields, 'enabled', ['yes'])],
    ['priority', () => filterFromTexts(fields, 'priority', ['0x10'])],
    ['priority', () => filterFromJson(fields, 'priority', '1')],
    ['tags', () => filterFromJson(fields, 'tags', { a: 1 })],
    ['tags', () => filterFromJson(fields, 'tags', [])],
    ['tags', () => filterFromJson(fields, 'tags', Array(1_001).fill('a'))],
  ];
  for (const [field, attempt] of attempts) {
    const error = t.throws(attempt, { instanceOf: ApiError }, field);
    t.is(error?.status, 400);
    t.is(error?.problems[0]?.field, field);
  }
});
