import cliProgress from 'cli-progress';
import { type Io, sizeText } from './io.js';

export interface ProgressBar {
  /** So much more is done. */
  add(amount: number): void;
  /** So much is done altogether, what is to be said beside the bar, and of how much, where that has become more. */
  at(done: number, note?: string, total?: number): void;
  stop(): void;
}

/**
 * A bar on standard error while something takes its time. Where standard error is no terminal a line is printed at each tenth, so
 * that logs stay readable.
 */
export function progressBar(
  io: Pick<Io, 'stderr'>,
  options: {
    readonly title: string;
    readonly total: number;
    readonly unit: 'bytes' | 'items';
    /** How wide title and bar are on a terminal, where a long note is to have room. */
    readonly columns?: { readonly title: number; readonly bar: number };
  },
): ProgressBar {
  const { title, columns = { title: 22, bar: 30 } } = options;
  let { total } = options;
  const amount = (value: number) => (options.unit === 'bytes' ? sizeText(value) : String(value));
  if (!io.stderr.isTTY) return plainProgress(io, title, total, amount);
  const bar = new cliProgress.SingleBar({
    stream: io.stderr,
    format: `${title.padEnd(columns.title)} {bar} {done}/{all}  {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: columns.bar,
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
    at(done, note = state.note, newTotal = total) {
      state.done = done;
      state.note = note;
      if (newTotal !== total) {
        total = newTotal;
        bar.setTotal(Math.max(1, total));
      }
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
  initialTotal: number,
  amount: (value: number) => string,
): ProgressBar {
  let total = initialTotal;
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
    at(now, note = '', newTotal = total) {
      done = now;
      if (newTotal !== total) {
        total = newTotal;
        // Of more the tenths are others: the next is told.
        printedTenth = Math.min(printedTenth, total === 0 ? 0 : Math.floor((10 * done) / total));
      }
      print(note);
    },
    stop() {},
  };
}
