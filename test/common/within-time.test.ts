import process from 'node:process';
import test from 'ava';
import { withinTime } from '../../common/index.js';

const LONG_MS = 60_000;

function timers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

test.serial('gives what the work comes to, or fails with it, and leaves no timer behind', async (t) => {
  const before = timers();
  t.is(await withinTime(Promise.resolve('done'), LONG_MS), 'done');
  await t.throwsAsync(withinTime(Promise.reject(new Error('refused')), LONG_MS), { message: 'refused' });
  t.is(timers(), before);
});

test.serial('gives null where the work takes longer, whatever becomes of it', async (t) => {
  let fail = (_: Error): void => {};
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  t.is(await withinTime(work, 1), null);
  fail(new Error('too late'));
  await t.throwsAsync(work, { message: 'too late' });
});
