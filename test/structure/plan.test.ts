import test from 'ava';
import fc from 'fast-check';
import { importsIn, type Sources } from './imports.js';
import { circlesOfFiles, planOf } from './plan.js';

test('every form of an import counts, also of types only, over several lines, and as it is called', (t) => {
  const text = `import 'node:fs';
import express from 'express';
import './effect.js';
import { a } from './a.js';
import type { B } from '../b.js';
import {
  c,
  type D,
} from './c/index.js';
import e, * as f from './e.js';
export * from './g.js';
export { h } from './h.js';
const later = await import('./i.js');
const text = "import { no } from './no.js';";
// import { no } from './no.js';
`;
  t.deepEqual(importsIn(text), [
    './effect.js',
    './a.js',
    '../b.js',
    './c/index.js',
    './e.js',
    './g.js',
    './h.js',
    './i.js',
  ]);
});

test('a room stands a floor above the highest that it imports', (t) => {
  const sources: Sources = {
    files: ['p/a.ts', 'p/b.ts', 'p/c/d.ts', 'p/c/e.ts', 'q.ts'],
    imports: [
      { from: 'p/a.ts', to: 'p/b.ts' },
      { from: 'p/b.ts', to: 'p/c/d.ts' },
      { from: 'p/b.ts', to: 'p/c/e.ts' },
      { from: 'p/c/d.ts', to: 'p/c/e.ts' },
      { from: 'q.ts', to: 'p/a.ts' },
    ],
  };
  const { rooms, arrows, circles } = planOf(sources, 'p');
  t.deepEqual(rooms, [
    { name: 'a.ts', floor: 3, files: 1 },
    { name: 'b.ts', floor: 2, files: 1 },
    { name: 'c', floor: 1, files: 2 },
  ]);
  t.deepEqual(
    arrows.map(({ from, to, runsBackUp, imports }) => [from, to, runsBackUp, imports.length]),
    [
      ['a.ts', 'b.ts', false, 1],
      ['b.ts', 'c', false, 2],
    ],
  );
  t.deepEqual(circles, []);
});

test('of a circle the arrow runs back up that starts where the most others stand', (t) => {
  const imports = ['b a', 'c a', 'd a', 'a b'].map((pair) => {
    const [from, to] = pair.split(' ');
    return { from: `${from}.ts`, to: `${to}.ts` };
  });
  const { rooms, arrows, circles } = planOf({ files: ['a.ts', 'b.ts', 'c.ts', 'd.ts'], imports });
  t.deepEqual(circles, [['a.ts', 'b.ts']]);
  t.deepEqual(
    arrows.filter(({ runsBackUp }) => runsBackUp).map(({ from, to }) => `${from} > ${to}`),
    ['a.ts > b.ts'],
  );
  t.deepEqual(
    rooms.map(({ floor }) => floor),
    [1, 2, 2, 2],
  );
});

const graphs = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 40 }).map((pairs): Sources => {
  const name = (number: number) => `${number}.ts`;
  return {
    files: Array.from({ length: 10 }, (_, number) => name(number)),
    imports: pairs
      .filter(([from, to]) => from !== to)
      .map(([from, to]) => ({ from: name(from), to: name(to) })),
  };
});

test('two files are in a circle exactly where each reaches the other', (t) => {
  fc.assert(
    fc.property(graphs, (sources) => {
      const reaches = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
        for (const each of sources.imports) {
          if (each.from !== from || seen.has(each.to)) continue;
          seen.add(each.to);
          reaches(each.to, seen);
        }
        return seen;
      };
      const circles = circlesOfFiles(sources);
      for (const one of sources.files) {
        for (const other of sources.files) {
          if (one === other) continue;
          const together = circles.some((circle) => circle.includes(one) && circle.includes(other));
          if (together !== (reaches(one).has(other) && reaches(other).has(one))) return false;
        }
      }
      return true;
    }),
  );
  t.pass();
});

test('but for the arrows that run back up, every arrow leads to a lower floor', (t) => {
  fc.assert(
    fc.property(graphs, (sources) => {
      const { rooms, arrows, circles } = planOf(sources);
      const floor = new Map(rooms.map((room) => [room.name, room.floor]));
      const down = arrows.filter(({ runsBackUp }) => !runsBackUp);
      return (
        down.every(({ from, to }) => (floor.get(from) ?? 0) > (floor.get(to) ?? 0)) &&
        circles.length > 0 === arrows.some(({ runsBackUp }) => runsBackUp)
      );
    }),
  );
  t.pass();
});
