import cliProgress from 'cli-progress';
import { type Io, sizeText } from './io.js';

export interface ProgressBar {
  /** So much more is done. */
  add(amount: number): void;
  /** So much is done altogether, and what is to be said beside the bar. */
  at(done: number, note?: string): void;
  stop(): void;
}

/**
 * A bar on standard error while something takes its time. Where standard error is no terminal a line is printed at each tenth, so
 * that logs stay readable.
 */
export function progressBar(
  io: Pick<Io, 'stderr'>,
  options: { readonly title: string; readonly total: number; readonly unit: 'bytes' | 'items' },
): ProgressBar {
  const { title, total } = options;
  const amount = (value: number) => (options.unit === 'bytes' ? sizeText(value) : String(value));
  if (!io.stderr.isTTY) return plainProgress(io, title, total, amount);
  const bar = new cliProgress.SingleBar({
    stream: io.stderr,
    format: `${title.padEnd(22)} {bar} {done}/{all}  {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    fps: 10,
  });
  const state = { done: 0, note: '' };
  const payload = () => ({ done: amount(state.done), all: amount(total), note: state.note });
  bar.start(Math.max(1, total), 0, payload());
  const update = () => bar.update(total === 0 ? 1 : state.done, payload());
  return {
    add(more) {
      state.done += more;
      update();
    },
    at(done, note = state.note) {
      state.done = done;
      state.note = note;
      update();
    },
    stop() {
      update();
      bar.stop();
    },
  };
}

function plainProgress(
  io: Pick<Io, 'stderr'>,
  title: string,
  total: number,
  amount: (value: number) => string,
): ProgressBar {
  let done = 0;
  let printedTenth = 0;
  const print = (note: string) => {
    const tenth = total === 0 ? 10 : Math.floor((10 * done) / total);
    if (tenth <= printedTenth) return;
    printedTenth = tenth;
    io.stderr.write(`${title}: ${amount(done)}/${amount(total)}${note === '' ? '' : `  ${note}`}\n`);
  };
  return {
    add(more) {
      done += more;
      print('');
    },
    at(now, note = '') {
      done = now;
      print(note);
    },
    stop() {},
  };
}
