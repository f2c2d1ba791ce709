import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { progressBar } from '../../cli/progress.js';

function output(isTTY: boolean) {
  const stream = new PassThrough();
  return {
    stderr: Object.assign(stream, { isTTY, columns: 100 }),
    written: () => String(stream.read() ?? ''),
  };
}

test('where nobody looks on, a line is printed at each tenth and no more', (t) => {
  const io = output(false);
  const bar = progressBar(io, { title: 'Adding', total: 1_000 * 1_024, unit: 'bytes' });
  for (let piece = 0; piece < 1_000; piece++) bar.add(1_024);
  bar.stop();
  const lines = io.written().trimEnd().split('\n');
  t.is(lines.length, 10);
  t.is(lines[0], 'Adding: 100.0 KiB/1000.0 KiB');
  t.is(lines.at(-1), 'Adding: 1000.0 KiB/1000.0 KiB');
});

test('a step that does all at once is one line, with its note', (t) => {
  const io = output(false);
  const bar = progressBar(io, { title: 'Rules posted', total: 20, unit: 'items' });
  bar.at(20, 'no failures');
  bar.at(20);
  bar.stop();
  t.is(io.written(), 'Rules posted: 20/20  no failures\n');
});

test('nothing to do is done at once', (t) => {
  const io = output(false);
  const bar = progressBar(io, { title: 'Adding', total: 0, unit: 'bytes' });
  bar.at(0);
  bar.stop();
  t.is(io.written(), 'Adding: 0 B/0 B\n');
});

test('on a terminal it is one bar, which ends full and leaves the cursor as it was', (t) => {
  const io = output(true);
  const bar = progressBar(io, { title: 'Adding', total: 3 * 1_024 * 1_024, unit: 'bytes' });
  bar.add(1_024 * 1_024);
  bar.at(3 * 1_024 * 1_024, 'done');
  bar.stop();
  const written = io.written();
  const plain = stripVTControlCharacters(written);
  t.regex(plain, /Adding +░{30} 0 B\/3\.0 MiB/);
  t.regex(plain, /Adding +█{30} 3\.0 MiB\/3\.0 MiB {2}done\s*\n$/);
  t.true(written.includes('\u001b[?25l'), 'the cursor is hidden meanwhile');
  t.true(written.lastIndexOf('\u001b[?25h') > written.lastIndexOf('\u001b[?25l'), 'and shown again');
});
