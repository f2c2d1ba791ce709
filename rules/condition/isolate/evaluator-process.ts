/**
 * What runs in a process of its own: JSONata, for the conditions that are outside the compiled subset, and closures that take many
 * steps. It knows nothing but what it
 * is sent, and whoever started it may kill it at any moment.
 */

import { shorten } from '../../vocabulary/index.js';
import { createConditionCompiler } from '../compile.js';
import { describeError, errorCode } from '../condition-error.js';
import { loadGuards } from '../guards.js';
import { createJsonata } from '../jsonata.js';
import type { Outcome, Report, Task } from './protocol.js';

// Imported one by one: with all of `condition` and `common` came packages that a third of the memory went to.
const guards = await loadGuards();
const compiler = createConditionCompiler(guards);
const jsonata = createJsonata(guards);
const contexts = new Map<number, object>();

process.on('message', (task: Task) => void evaluate(task));
// Nobody is left to answer to.
process.on('disconnect', () => process.exit());
// What asks the server to stop often goes to all its processes; it finishes what is under way, and ends this when it is done.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
send({ kind: 'ready' });

async function evaluate({ id, text, contextId, context, forget }: Task): Promise<void> {
  if (forget !== undefined) contexts.delete(forget);
  if (context !== undefined) contexts.set(contextId, withoutPrototype(context));
  let startedUs = cpuUs();
  const answer = (outcome: Outcome): void =>
    send({ kind: 'answer', id, outcome, cpuMs: (cpuUs() - startedUs) / 1_000 });
  try {
    const { closure, source } = compiler.compile(text);
    // One with a closure comes here where that takes too long for the server; JSONata would take many times longer still.
    const condition = closure ?? jsonata(source);
    send({ kind: 'started', id });
    startedUs = cpuUs();
    answer(outcomeOf(await condition(contexts.get(contextId) ?? {})));
  } catch (error) {
    answer(errorOutcome(error));
  }
}

function outcomeOf(value: unknown): Outcome {
  if (value === true) return { kind: 'true' };
  return value === false || value === undefined ? { kind: 'false' } : { kind: 'other', text: shorten(value) };
}

function errorOutcome(error: unknown): Outcome {
  const name = error instanceof Error ? error.name : null;
  return { kind: 'error', name, code: errorCode(error), message: describeError(error) };
}

/** On its way here a context was given the prototype that names like `toString` are found on. */
function withoutPrototype<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) withoutPrototype(inner);
  }
  return Array.isArray(value) ? value : Object.setPrototypeOf(value, null);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function send(report: Report): void {
  process.send?.(report);
}
