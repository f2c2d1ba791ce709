import { readFile } from 'node:fs/promises';

/** Of Linux towards programs, on every machine: a hundredth of a second. */
const TICK_MICROSECONDS = 10_000;

/** Where /proc/PID/stat has them, counted from the field after the command's name: utime and stime, or those of ended children. */
const FIRST_FIELD = { own: 11, 'ended children': 13 };

/** Processor time of a process, in steps of a hundredth of a second. Linux only, else 0. */
export async function processorMicroseconds(
  pid: number | string,
  whose: 'own' | 'ended children' = 'own',
): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name is in brackets and may hold anything, brackets and blanks too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const first = FIRST_FIELD[whose];
  return (Number(fields[first] ?? 0) + Number(fields[first + 1] ?? 0)) * TICK_MICROSECONDS;
}
