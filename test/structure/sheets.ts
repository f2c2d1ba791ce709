import type { Sources } from './imports.js';
import { nameOf } from './laws.js';
import { planOf } from './plan.js';

const HEAD = ['rooms', 'floors', 'arrows', 'back up', 'circles'];
const PLACE_WIDTH = 26;
const COUNT_WIDTH = 9;

/** Every folder in a line. */
export function tableOf(sources: Sources): string {
  const places = [...new Set(sources.files.flatMap(foldersAround))].sort();
  const row = (name: string, cells: readonly (string | number)[]) =>
    name.padEnd(PLACE_WIDTH) + cells.map((cell) => String(cell).padStart(COUNT_WIDTH)).join('');
  return [
    row('', HEAD),
    ...places.map((place) => {
      const { rooms, arrows, circles } = planOf(sources, place);
      const floors = Math.max(...rooms.map(({ floor }) => floor));
      const backUp = arrows.filter(({ runsBackUp }) => runsBackUp).length;
      return row(nameOf(place), [rooms.length, floors, arrows.length, backUp, circles.length]);
    }),
  ].join('\n');
}

/** One folder: its floors from the top down, what each room imports, and the circles with their files. */
export function sheetOf(sources: Sources, place: string): string {
  const { rooms, arrows, circles } = planOf(sources, place);
  const byFloor = rooms.toSorted(
    (one, other) => other.floor - one.floor || one.name.localeCompare(other.name),
  );
  const lines = byFloor.flatMap(({ name, floor, files }) => {
    const below = arrows.filter(({ from }) => from === name);
    const isFolder = !name.endsWith('.ts');
    return [
      `${String(floor).padStart(3)}  ${name}${isFolder ? `/ (${files} files)` : ''}`,
      ...below.map(
        ({ to, runsBackUp, imports }) =>
          `       ${runsBackUp ? '↑' : '→'} ${to}${imports.length > 1 ? ` (${imports.length})` : ''}`,
      ),
    ];
  });
  const found = circles.map((circle) => `circle: ${circle.join(', ')}`);
  return [`${nameOf(place)}, from the top floor down`, ...lines, ...found].join('\n');
}

function foldersAround(file: string): string[] {
  const parts = file.split('/');
  return parts.map((_, depth) => parts.slice(0, depth).join('/'));
}
