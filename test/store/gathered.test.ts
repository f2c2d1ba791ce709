import test from 'ava';
import { Gathered } from '../../store/mongo/gathered.js';
import { rejects } from './things.js';

/** Requests whose answers come when the test says so. */
function requests(timeoutMs = 10_000, nowMs = () => 0) {
  const sent: { readonly questions: readonly number[]; readonly answer: () => void }[] = [];
  const waiting: (() => void)[] = [];
  const gathered = new Gathered<number, number>(
    (questions) =>
      new Promise((resolve) => {
        sent.push({ questions, answer: () => resolve(questions.map((question) => question * 2)) });
        waiting.shift()?.();
      }),
    () => 1,
    timeoutMs,
    nowMs,
  );
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { sent, gathered, next };
}

test('what is asked in one turn is one request; what is asked while it is under way is the next', async (t) => {
  const { sent, gathered, next } = requests();
  const began = next();
  const first = [gathered.answer(1), gathered.answer(2)];
  await began;
  const later = [gathered.answer(3), gathered.answer(4)];
  const again = next();
  sent[0]?.answer();
  t.deepEqual(await Promise.all(first), [2, 4]);
  await again;
  sent[1]?.answer();
  t.deepEqual(await Promise.all(later), [6, 8]);
  t.deepEqual(
    sent.map(({ questions }) => questions),
    [
      [1, 2],
      [3, 4],
    ],
  );
});

test('what waits for longer than a read may take is told so', async (t) => {
  let nowMs = 0;
  const { sent, gathered, next } = requests(20, () => nowMs);
  const began = next();
  const first = gathered.answer(1);
  await began;
  const late = rejects(t, gathered.answer(2), 'unavailable', /waited for too long/);
  nowMs = 21;
  sent[0]?.answer();
  t.is(await first, 2);
  await late;
});
