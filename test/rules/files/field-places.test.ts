import test from 'ava';
import fc from 'fast-check';
import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { FieldPlaces } from '../../../rules/files/field-places.js';

/** The ways down to all values of a tree. */
function* paths(
  { type, children = [] }: Node,
  way: readonly (string | number)[] = [],
): Generator<(string | number)[]> {
  yield [...way];
  for (const [index, child] of children.entries()) {
    if (type === 'array') yield* paths(child, [...way, index]);
    const [key, value] = child.children ?? [];
    if (type === 'object' && value !== undefined) yield* paths(value, [...way, String(key?.value)]);
  }
}

test('a field stands where editors find it', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('', ' ', '\n  '), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      if (/__proto__|\\ud[89a-f]/i.test(text) || /[^\0-\x7f]/.test(text)) return;
      const root = parseTree(text);
      if (root === undefined) return t.fail(text);
      // What is behind the value is of no concern.
      const places = new FieldPlaces(Buffer.from(`${text},]`), 0);
      for (const path of paths(root)) {
        t.is(places.at(path), findNodeAtLocation(root, path)?.offset ?? null, `${text} ${path.join('/')}`);
      }
      t.is(places.at(['no such', 'field']), null);
    }),
  );
});
