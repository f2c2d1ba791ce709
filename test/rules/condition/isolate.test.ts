import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { createIsolate, type Isolate, type IsolateOptions } from '../../../rules/condition/isolate/index.js';

/** One built-in call that JSONata's own time limit does not stop, nor any bound on its arguments: it takes seconds. */
const ENDLESS = '$count($split($pad("", 65536, "ab"), /(a?){900}b/)) > 0';
/** Comparing makes two texts of 256 MB whole, each in one piece: V8 aborts where that is more than its limit. */
const GREEDY =
  '($double := function($s, $n) { $n = 0 ? $s : $double($s & $s, $n - 1) }; $double("ab", 27) < $double("ab", 26) & "c")';
const PATIENT_MS = 60_000;

function open(t: ExecutionContext, options: Partial<IsolateOptions> = {}): Isolate {
  const isolate = createIsolate(options);
  t.teardown(() => isolate.close());
  return isolate;
}

function evaluate(
  isolate: Isolate,
  text: string,
  over: Partial<Parameters<Isolate['evaluate']>[0]> = {},
): ReturnType<Isolate['evaluate']> {
  const context = { cpeid: 'X', tags: ['beta'] };
  const request = { text, context, timeoutMs: PATIENT_MS, waitMs: PATIENT_MS, isWanted: () => true };
  return isolate.evaluate({ ...request, ...over });
}

/** Evaluates anew where JSONata gave up before it came to what matters: it looks at the wall's clock, which runs on while a busy
 * machine does other things. */
async function begun(once: () => ReturnType<Isolate['evaluate']>): ReturnType<Isolate['evaluate']> {
  for (let times = 1; ; times++) {
    const evaluated = await once();
    const outcome = evaluated.kind === 'answer' ? evaluated.outcome : null;
    if (outcome?.kind !== 'error' || outcome.code !== 'D1012' || times >= 50) return evaluated;
  }
}

test('a condition comes to true, false, or something else in a few words', async (t) => {
  const isolate = open(t);
  const outcomeOf = async (text: string) => {
    const evaluated = await begun(() => evaluate(isolate, text));
    return evaluated.kind === 'answer' ? evaluated.outcome : evaluated.kind;
  };
  t.deepEqual(await outcomeOf('$count(tags) = 1'), { kind: 'true' });
  t.deepEqual(await outcomeOf('nothing'), { kind: 'false' });
  t.deepEqual(await outcomeOf('tags[0] = "x"'), { kind: 'false' });
  t.deepEqual(await outcomeOf('tags'), { kind: 'other', text: '["beta"]' });
  t.deepEqual(await outcomeOf('$pad("", 60000, "ab") & $pad("", 60000)'), {
    kind: 'other',
    text: 'a text of 120000 characters',
  });
  t.deepEqual(await outcomeOf('$exists(toString)'), { kind: 'false' });
  t.like(await outcomeOf('1 < "x"'), { kind: 'error', code: 'T2009' });
  t.like(await outcomeOf('$length($pad("", 70000))'), { kind: 'error', name: 'ArgumentBoundError' });
  t.like(await outcomeOf('1 +'), { kind: 'error', name: 'ConditionError' });
});

test('a single call without end is ended at its deadline, and the next condition is evaluated', async (t) => {
  const isolate = open(t, { cpuMsOf: () => null });
  const evaluated = await begun(() => evaluate(isolate, ENDLESS, { timeoutMs: 1 }));
  t.like(evaluated, { kind: 'out-of-time' });
  t.like(await evaluate(isolate, 'true'), { kind: 'answer', outcome: { kind: 'true' } });
});

test('an evaluator that gets no processor time is given its time anew, but not for ever', async (t) => {
  let asked = 0;
  const cpuMsOf = () => {
    asked += 1;
    return 0;
  };
  const isolate = open(t, { cpuMsOf });
  const evaluated = await begun(() => {
    asked = 0;
    return evaluate(isolate, ENDLESS, { timeoutMs: 1 });
  });
  t.like(evaluated, { kind: 'out-of-time' });
  // When it is sent, and at the beginning and the end of its time, and of three more.
  t.is(asked, 9);
});

test('a condition that needs too much memory at once ends its evaluator and nothing else', async (t) => {
  const isolate = open(t);
  t.like(await begun(() => evaluate(isolate, GREEDY)), { kind: 'out-of-memory' });
  t.like(await evaluate(isolate, 'true'), { kind: 'answer', outcome: { kind: 'true' } });
});

test('each of many contexts by turns stays the one its condition sees', async (t) => {
  const isolate = open(t);
  const contexts = Array.from({ length: 20 }, (_, n) => ({ n }));
  const asked = [...contexts, ...contexts.toReversed(), ...contexts].map(async (context) =>
    evaluate(isolate, 'n', { context }),
  );
  const seen = (await Promise.all(asked)).map((evaluated) =>
    evaluated.kind === 'answer' && evaluated.outcome.kind === 'other' ? evaluated.outcome.text : null,
  );
  const numbers = contexts.map(({ n }) => String(n));
  t.deepEqual(seen, [...numbers, ...numbers.toReversed(), ...numbers]);
});

test('a condition whose evaluator was full of other CPEs’ contexts is evaluated once more, by itself', async (t) => {
  const isolate = open(t);
  for (let n = 0; n < 12; n++) {
    const context = { n, filler: 'x'.repeat(2 ** 24) };
    t.like(await begun(() => evaluate(isolate, `n = ${n}`, { context })), { kind: 'answer' });
  }
});

test('a condition whose evaluator others have killed is evaluated once more, and not for ever', async (t) => {
  const killing = (timesMax: number) => {
    let times = 0;
    const isolate = open(t, {
      // Asked when an evaluation begins.
      cpuMsOf(pid) {
        if (times < timesMax) process.kill(pid, 'SIGKILL');
        times += 1;
        return null;
      },
    });
    return isolate;
  };
  t.like(await evaluate(killing(1), 'true'), { kind: 'answer', outcome: { kind: 'true' } });
  t.like(await evaluate(killing(2), 'true'), { kind: 'out-of-memory' });
});

test('what was found not to be wanted while it waited is not evaluated', async (t) => {
  const isolate = open(t);
  let wanted = true;
  const first = evaluate(isolate, 'true');
  const second = evaluate(isolate, 'true', { isWanted: () => wanted });
  wanted = false;
  t.like(await first, { kind: 'answer' });
  t.like(await second, { kind: 'unwanted' });
});

test('who can wait no longer is told that it is busy, and is not evaluated later', async (t) => {
  const isolate = open(t, { cpuMsOf: () => null });
  await evaluate(isolate, 'true');
  const long = evaluate(isolate, ENDLESS, { timeoutMs: 500 });
  let asked = false;
  const impatient = evaluate(isolate, 'true', {
    waitMs: 0,
    isWanted: () => {
      asked = true;
      return true;
    },
  });
  t.false(isolate.idle());
  t.like(await impatient, { kind: 'busy' });
  await long;
  t.like(await evaluate(isolate, 'true'), { kind: 'answer' });
  t.false(asked);
});

test('closing ends what is evaluated, and what waits is busy', async (t) => {
  const isolate = createIsolate();
  await evaluate(isolate, 'true');
  const running = evaluate(isolate, ENDLESS);
  const waiting = evaluate(isolate, 'true');
  await isolate.close();
  // Being closed says nothing of the condition.
  t.like(await running, { kind: 'busy' });
  t.like(await waiting, { kind: 'busy' });
  t.like(await evaluate(isolate, 'true'), { kind: 'busy' });
});

test('evaluators that wait keep nobody from ending', async (t) => {
  const program = `
    const { createIsolate } = await import(${JSON.stringify(new URL('../../../rules/condition/isolate/index.js', import.meta.url).href)});
    const isolate = createIsolate();
    const request = { text: '1 = 1', context: {}, timeoutMs: 60000, waitMs: 60000, isWanted: () => true };
    console.log((await isolate.evaluate(request)).outcome.kind);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  t.is(stdout, 'true\n');
});
