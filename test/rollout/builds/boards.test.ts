import test from 'ava';
import { Boards, type BoardTypes } from '../../../rollout/index.js';

/** Of each type its boards; the last that lists a board is its own. */
function typesOf(listed: Readonly<Record<string, readonly string[]>>): BoardTypes {
  const all = Object.entries(listed).map(([type, boards]) => ({ type, boards }));
  return {
    get: (type) => all.find((each) => each.type === type) ?? null,
    ofBoard: (model) => all.filter(({ boards }) => boards.includes(model)).at(-1) ?? null,
  };
}

const boards = new Boards(typesOf({ old: ['WDR4300 v1', 'WDR3600 v1'], new: ['WDR4300 v1'] }));

test('of a board that several types list only the last may be given', (t) => {
  t.is(boards.accepts('WDR4300 v1', 'new'), 'yes');
  t.is(boards.accepts('WDR4300 v1', 'old'), 'other-type');
  t.is(boards.accepts('WDR3600 v1', 'old'), 'yes');
});

test('a model is compared to the letter', (t) => {
  t.is(boards.accepts('wdr4300 v1', 'new'), 'other-model');
  t.is(boards.accepts('WDR4300 v1 ', 'new'), 'other-model');
});

test('a device that says no model, or one that no type lists, is given no type that is listed', (t) => {
  t.is(boards.accepts(undefined, 'new'), 'other-model');
  t.is(boards.accepts('HGW', 'new'), 'other-model');
});

test('a type that nobody knows is for the board that it is called by', (t) => {
  t.is(boards.accepts('HGW', 'HGW'), 'yes');
  t.is(boards.accepts('HGW', 'AP'), 'other-model');
  t.is(boards.typeFor('HGW', ['AP', 'HGW']), 'HGW');
});

test('a build takes any type that lists the board, and the only one where it has that', (t) => {
  t.is(boards.typeFor('WDR4300 v1', ['old']), 'old');
  t.is(boards.typeFor('WDR4300 v1', ['old', 'new']), 'new');
  t.is(boards.typeFor('HGW', ['old', 'new']), undefined);
});
