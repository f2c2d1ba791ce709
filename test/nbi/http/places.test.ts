import test, { type ExecutionContext } from 'ava';
import { ApiError } from '../../../nbi/http/index.js';
import { Places, type PlacesOptions } from '../../../nbi/http/places.js';

const WANTED = new AbortController().signal;

/** Work that goes on until it is ended. */
function held() {
  let end = () => {};
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => work, end };
}

const searches = (options: Partial<PlacesOptions> = {}) =>
  new Places({ what: 'searches', perClientMax: 1, totalMax: 2, retryAfterSeconds: 7, ...options });

const refusalOf = (attempt: Promise<unknown>, t: ExecutionContext) =>
  t.throwsAsync(attempt, { instanceOf: ApiError });

test('a user may have so much under way, all together so much, and room is given back also by what fails', async (t) => {
  const places = searches();
  const { work, end } = held();
  const first = places.run('ann', WANTED, work);
  const own = await refusalOf(places.run('ann', WANTED, work), t);
  t.deepEqual([own?.status, own?.headers], [429, { 'Retry-After': '7' }]);
  const second = places.run('bob', WANTED, () => work().then(() => Promise.reject(new Error('failed'))));
  t.is((await refusalOf(places.run('cy', WANTED, work), t))?.status, 503);
  end();
  await Promise.all([first, t.throwsAsync(second, { message: 'failed' })]);
  t.is(await places.run('ann', WANTED, () => places.run('bob', WANTED, async () => 'both')), 'both');
  t.is(places.taken, 0);
});

test('what waits is let in as places are given back: who has least before who has some, then who has waited longest', async (t) => {
  const places = searches({ perClientMax: 2, waiting: { perClientMax: 10, msMax: 600_000 } });
  const [one, two] = [held(), held()];
  const running = [places.run('ann', WANTED, one.work), places.run('ann', WANTED, two.work)];
  const order: string[] = [];
  const work = (name: string) => async () => void order.push(name);
  const waiting = [
    places.run('ann', WANTED, work('ann')),
    places.run('bob', WANTED, work('bob 1')),
    places.run('bob', WANTED, work('bob 2')),
    places.run('cy', WANTED, work('cy')),
  ];
  one.end();
  await Promise.all(waiting);
  t.deepEqual(order, ['bob 1', 'bob 2', 'cy', 'ann']);
  two.end();
  await Promise.all(running);
  t.is(places.taken, 0);
});

test('only so many of one client wait, for so long, and then it is told whose work it waited for', async (t) => {
  const places = searches({ waiting: { perClientMax: 1, msMax: 1 } });
  const { work, end } = held();
  const running = [places.run('ann', WANTED, work), places.run('bob', WANTED, work)];
  const waiting = refusalOf(places.run('ann', WANTED, work), t);
  t.is((await refusalOf(places.run('ann', WANTED, work), t))?.status, 429);
  const late = await waiting;
  t.is(late?.status, 429);
  t.regex(late?.message ?? '', /yours, of which 1 is under way/);
  t.is((await refusalOf(places.run('cy', WANTED, work), t))?.status, 503);
  end();
  await Promise.all(running);
  t.is(await places.run('ann', WANTED, async () => 'again'), 'again');
});

test('who has gone waits no longer, and takes no place', async (t) => {
  const places = searches({ waiting: { perClientMax: 10, msMax: 600_000 } });
  const { work, end } = held();
  const running = places.run('ann', WANTED, work);
  const gone = new AbortController();
  let begun = false;
  const waiting = places.run('ann', gone.signal, async () => {
    begun = true;
  });
  const outcome = waiting.then(
    () => null,
    (error: unknown) => error,
  );
  gone.abort();
  t.is(await outcome, gone.signal.reason);
  end();
  await running;
  t.false(begun);
  t.is(places.taken, 0);
  t.is(await places.run('ann', WANTED, async () => 'next'), 'next');
});
