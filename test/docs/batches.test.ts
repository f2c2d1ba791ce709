import { readFile } from 'node:fs/promises';
import test from 'ava';
import { BATCH_STATES, OPERATION_REASONS, OPERATION_STATES, wordsOf } from '../../rollout/index.js';

const text = await readFile(new URL('../../../docs/batches.md', import.meta.url), 'utf8');

/** The first two cells of each row of the table that has this head. */
function rowsOf(head: string): readonly (readonly [name: string, words: string])[] {
  const [, behind = ''] = text.split(new RegExp(`^\\| ${head} +\\|.*$`, 'm'));
  const [table = ''] = behind.split('\n\n');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [, name = '', words = ''] = line.split('|').map((cell) => cell.trim());
      return [name.replaceAll('`', ''), words] as const;
    });
}

test('the page has every reason, in the words in which it is told', (t) => {
  t.deepEqual(
    rowsOf('reason'),
    OPERATION_REASONS.map((reason) => [reason, wordsOf(reason)] as const),
  );
});

test('the page says what every state of a batch and of its operations means', (t) => {
  t.deepEqual(
    rowsOf('state').map(([name]) => name),
    [...BATCH_STATES],
  );
  t.deepEqual(
    rowsOf('operation').map(([name]) => name),
    [...OPERATION_STATES],
  );
});
