import {
  type Closure,
  type CompiledCondition,
  describeError,
  errorCode,
  loadGuards,
} from '../../../rules/condition/index.js';
import { createJsonata } from '../../../rules/condition/jsonata.js';

const jsonata = createJsonata(await loadGuards());

/** JSONata's code for an expression that took longer than its timeout. */
const TIMED_OUT = 'D1012';

/** What evaluating came to. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly code: string | null; readonly message: string };

export function byClosure(closure: Closure, given: object): Outcome {
  try {
    return { value: plain(closure(given)) };
  } catch (error) {
    return failureOf(error);
  }
}

/** Null where JSONata ran out of time: its clock is the wall's, and a machine that stood still says nothing of the expression. */
export async function byJsonata(condition: CompiledCondition, given: object): Promise<Outcome | null> {
  try {
    return { value: plain(await jsonata(condition.source)(given)) };
  } catch (error) {
    return errorCode(error) === TIMED_OUT ? null : failureOf(error);
  }
}

function failureOf(error: unknown): Outcome {
  // The words of the engine's own errors are nobody's promise.
  const message = error instanceof TypeError ? 'TypeError' : describeError(error);
  return { code: errorCode(error), message };
}

/** Without the marks that JSONata and closures put on their sequences. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
