import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { Entrance } from '../../common/index.js';

/** An entrance beside others who make each turn of the event loop so long. */
function besideOthers(turnMs: number) {
  let nowMs = 0;
  const order: string[] = [];
  const entrance = new Entrance(() => nowMs);
  return {
    entrance,
    order,
    wait: (client: string, isKnown = false) => entrance.wait(client, isKnown, () => order.push(client)),
    async turns(count: number) {
      for (let n = 0; n < count; n++) {
        nowMs += turnMs;
        await turn();
      }
    },
  };
}

test('whoever finds nobody waiting is let in at once', (t) => {
  const { order, wait } = besideOthers(5);
  wait('a');
  t.deepEqual(order, ['a']);
});

test('however many one client has, another has its turn after one of them', async (t) => {
  const { order, wait, turns } = besideOthers(5);
  for (let n = 0; n < 50; n++) wait('many');
  wait('one');
  await turns(20);
  t.true(order.indexOf('one') <= 2, order.join());
});

test('every second turn is of those who are known, however many strangers wait', async (t) => {
  const { order, wait, turns } = besideOthers(5);
  for (let n = 0; n < 50; n++) wait(`stranger${n}`);
  for (let n = 0; n < 5; n++) wait('known', true);
  await turns(40);
  t.deepEqual(order.slice(1, 9).filter((client) => client === 'known').length, 4, order.join());
  t.true(order.length > 10);
});

test('while others are at work a tenth of the time is for those who are let in, and less where turns are long', async (t) => {
  const letIn = async (turnMs: number, count: number) => {
    const { order, wait, turns } = besideOthers(turnMs);
    for (let n = 0; n < 1_000; n++) wait('many');
    await turns(count);
    return order.length;
  };
  const [ofShort, ofLong] = [await letIn(5, 200), await letIn(20, 50)];
  t.true(ofShort > 80 && ofShort < 120, `${ofShort}`);
  t.true(ofLong > 20 && ofLong < 40, `${ofLong}`);
});

test('where nothing else is at work one is let in each turn', async (t) => {
  const { order, wait, turns } = besideOthers(0.01);
  for (let n = 0; n < 30; n++) wait('many');
  await turns(30);
  t.is(order.length, 30);
});

test('who leaves is not let in, and is not counted', async (t) => {
  const { entrance, order, wait, turns } = besideOthers(5);
  wait('a');
  const leave = wait('b');
  wait('b');
  t.is(entrance.waitingOf('b'), 2);
  leave();
  leave();
  t.is(entrance.waitingOf('b'), 1);
  await turns(20);
  t.deepEqual(order, ['a', 'b']);
  t.is(entrance.waitingOf('b'), 0);
});
