import type { Import, Sources } from './imports.js';

/** What stands in a place: its files and folders as rooms, the imports between them as arrows. */
export interface Plan {
  /** By name, which is below the place; the ground floor is 1, and every other is above all that it imports. */
  readonly rooms: readonly { readonly name: string; readonly floor: number; readonly files: number }[];
  readonly arrows: readonly Arrow[];
  /** Rooms that can be reached from one another, each set by name; in a house that stands there is none. */
  readonly circles: readonly (readonly string[])[];
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** It closes a circle: without it and its like the others would have an order. */
  readonly runsBackUp: boolean;
  /** The imports that it stands for. */
  readonly imports: readonly Import[];
}

/**
 * Draws a place.
 * @param place  a folder below the tree, `''` for the whole; its files and its folders are the rooms
 */
export function planOf({ files, imports }: Sources, place = ''): Plan {
  const inside = place === '' ? '' : `${place}/`;
  const roomOf = (path: string): string | null =>
    path.startsWith(inside) ? (path.slice(inside.length).split('/', 1)[0] ?? null) : null;
  const filesByRoom = new Map<string, number>();
  for (const room of files.map(roomOf)) {
    if (room !== null) filesByRoom.set(room, (filesByRoom.get(room) ?? 0) + 1);
  }
  const graph: Graph = new Map([...filesByRoom.keys()].sort().map((room) => [room, new Map()]));
  for (const each of imports) {
    const [from, to] = [roomOf(each.from), roomOf(each.to)];
    if (from === null || to === null || from === to) continue;
    const arrows = graph.get(from);
    arrows?.set(to, [...(arrows.get(to) ?? []), each]);
  }
  const circles = circlesOf(graph);
  const backUp = runningBackUp(graph, circles);
  const floors = floorsOf(graph, backUp);
  return {
    rooms: [...graph.keys()].map((name) => ({
      name,
      floor: floors.get(name) ?? 1,
      files: filesByRoom.get(name) ?? 0,
    })),
    arrows: [...graph].flatMap(([from, arrows]) =>
      [...arrows].map(([to, those]) => ({
        from,
        to,
        runsBackUp: backUp.has(arrowName(from, to)),
        imports: those,
      })),
    ),
    circles,
  };
}

/** The circles of files in the whole tree, whatever rooms they lie in. */
export function circlesOfFiles({ files, imports }: Sources): readonly (readonly string[])[] {
  const graph: Graph = new Map(files.map((file) => [file, new Map()]));
  for (const each of imports) graph.get(each.from)?.set(each.to, [each]);
  return circlesOf(graph);
}

type Graph = ReadonlyMap<string, Map<string, readonly Import[]>>;

const arrowName = (from: string, to: string) => `${from} ${to}`;

/** Sets of more than one room in which each reaches each (Tarjan's algorithm). */
function circlesOf(graph: Graph): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const open = new Set<string>();
  const circles: string[][] = [];
  const visit = (room: string): number => {
    const number = order.size;
    order.set(room, number);
    stack.push(room);
    open.add(room);
    let low = number;
    for (const to of graph.get(room)?.keys() ?? []) {
      if (!order.has(to)) low = Math.min(low, visit(to));
      else if (open.has(to)) low = Math.min(low, lowest.get(to) ?? order.get(to) ?? low);
      lowest.set(room, low);
    }
    lowest.set(room, low);
    if (low === number) {
      const members = stack.splice(stack.indexOf(room));
      for (const member of members) open.delete(member);
      if (members.length > 1) circles.push(members.sort());
    }
    return low;
  };
  for (const room of graph.keys()) if (!order.has(room)) visit(room);
  return circles.sort();
}

/** Of each circle arrows whose absence would leave an order: those of the rooms that need the least and are needed the most. */
function runningBackUp(graph: Graph, circles: readonly (readonly string[])[]): ReadonlySet<string> {
  const backUp = new Set<string>();
  for (const circle of circles) {
    const left = new Set(circle);
    while (left.size > 0) {
      const [lowest] = [...left].sort(
        (one, other) =>
          weight(graph, one, left) - weight(graph, other, left) ||
          weight(graph, one, graph) - weight(graph, other, graph),
      );
      if (lowest === undefined) break;
      for (const to of graph.get(lowest)?.keys() ?? []) {
        if (left.has(to)) backUp.add(arrowName(lowest, to));
      }
      left.delete(lowest);
    }
  }
  return backUp;
}

/** How far up a room belongs among these: what it needs of them less what they need of it. */
function weight(graph: Graph, room: string, among: Graph | ReadonlySet<string>): number {
  const out = [...(graph.get(room)?.keys() ?? [])].filter((to) => among.has(to)).length;
  const into = [...among.keys()].filter((from) => graph.get(from)?.has(room) === true).length;
  return out - into;
}

function floorsOf(graph: Graph, backUp: ReadonlySet<string>): ReadonlyMap<string, number> {
  const floors = new Map<string, number>();
  const floorOf = (room: string): number => {
    const known = floors.get(room);
    if (known !== undefined) return known;
    const below = [...(graph.get(room)?.keys() ?? [])].filter((to) => !backUp.has(arrowName(room, to)));
    const floor = 1 + Math.max(0, ...below.map(floorOf));
    floors.set(room, floor);
    return floor;
  };
  for (const room of graph.keys()) floorOf(room);
  return floors;
}
