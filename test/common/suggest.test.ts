import test from 'ava';
import { suggest } from '../../common/index.js';

test('the nearest name is suggested, case aside, and none where none is near', (t) => {
  const names = ['enabled', 'executions', 'priority'];
  t.is(suggest('enable', names), 'enabled');
  t.is(suggest('Priority', names), 'priority');
  t.is(suggest('executoins', names), 'executions');
  t.is(suggest('colour', names), null);
});

test('a name that is not so long as its edits is no suggestion, nor is any for a text without bounds', (t) => {
  t.is(suggest('xy', ['ab']), null);
  t.is(suggest('e'.repeat(1_000_000), ['enabled']), null);
});
