import type { ConditionSource } from './compiled.js';
import { bindFunctions, type Guards } from './guards.js';
import { keepLast } from './keep-last.js';
import { parse } from './parse.js';

/** Different texts that are kept parsed. */
const TEXTS_KEPT_MAX = 2_000;

/** Has JSONata evaluate a source, in this thread, for as long as it takes. It throws what JSONata throws: an object with `code` and `message`. */
export type Jsonata = (source: ConditionSource) => (context: object) => Promise<unknown>;

/** For a process that may be killed, and for tests that hold closures against it; never for the server's own thread. */
export function createJsonata(guards: Guards): Jsonata {
  const expressions = keepLast(TEXTS_KEPT_MAX, (text) => {
    const { expression } = parse(text);
    bindFunctions(expression, guards);
    return expression;
  });
  return ({ text, bindings }) => {
    const expression = expressions(text);
    return (context) => expression.evaluate(context, bindings);
  };
}
