import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import process from 'node:process';

/**
 * Which process this is, for others on the machine to tell whether it still runs: letters, digits and dashes, so that it can
 * be a part of a file's name.
 */
export type ProcessMark = string;

const MARK_PATTERN = /^p([0-9a-f]{12})-([0-9a-f]{12})-(\d+)-(\d+)$/;
const PLACE_CHARACTERS = 12;
/** Where the system does not say. */
const NOWHERE = '0'.repeat(PLACE_CHARACTERS);
/** In `/proc/PID/stat` after the name, which may hold anything and ends with the last parenthesis. */
const START_TIME_FIELD = 19;

interface Place {
  /** Of this start of the machine. */
  readonly boot: string;
  /** Where process ids mean the same: a container has its own. */
  readonly processes: string;
}

/** The mark of this process. */
export async function ownProcessMark(): Promise<ProcessMark> {
  const { boot, processes } = await ownPlace();
  return `p${boot}-${processes}-${process.pid}-${(await startTimeOf(process.pid)) ?? 0}`;
}

/**
 * Whether the process of a mark still runs. `unknown` where this cannot be told from here: it is none, of another container,
 * or the system does not say when a process was started.
 * @param isOfThisMachine  whether it can be no other's: of an earlier start of this machine it has ended
 */
export async function processState(
  mark: ProcessMark,
  isOfThisMachine = true,
): Promise<'running' | 'ended' | 'unknown'> {
  const [, boot, processes, pid, startTime] = MARK_PATTERN.exec(mark) ?? [];
  if (pid === undefined || startTime === undefined) return 'unknown';
  const own = await ownPlace();
  if (boot === NOWHERE || own.boot === NOWHERE) return 'unknown';
  if (boot !== own.boot) return isOfThisMachine ? 'ended' : 'unknown';
  if (processes !== own.processes || startTime === '0') return 'unknown';
  // A number is given again, though never with the same time of start.
  return (await startTimeOf(Number(pid))) === startTime ? 'running' : 'ended';
}

async function ownPlace(): Promise<Place> {
  const boot = await textOf(readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
  const processes = await textOf(readlink('/proc/self/ns/pid'));
  if (boot === null || processes === null) return { boot: NOWHERE, processes: NOWHERE };
  return { boot: shortened(boot), processes: shortened(processes) };
}

/** In ticks since the machine was started; null where there is no such process, or the system does not say. */
async function startTimeOf(pid: number): Promise<string | null> {
  const stat = await textOf(readFile(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  return (
    stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(START_TIME_FIELD) ?? null
  );
}

async function textOf(reading: Promise<string>): Promise<string | null> {
  try {
    return await reading;
  } catch {
    return null;
  }
}

function shortened(text: string): string {
  return createHash('sha256').update(text.trim()).digest('hex').slice(0, PLACE_CHARACTERS);
}
