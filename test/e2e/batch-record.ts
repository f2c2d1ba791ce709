import type { CpeIdentity, Fleet, SimulatedCpe } from '../../cpe-sim/index.js';
import type { BatchTold } from './batch-told.js';

/** Where an operation may stand: its state, and its reason where it has one. */
type Standing = string;

/** What the CPEs of a fleet do wrong, as far as a record must know it beforehand. */
export interface RecordedKind {
  /** What becomes of a Download that is refused, once the session is over in which it was; a CPE that is then `pending` refuses once. */
  readonly refused?: Standing;
  /** It comes back with the version that it had. */
  readonly staysOld?: boolean;
}

interface Own {
  readonly kind: RecordedKind;
  /** Where its operation can have stood, oldest first. */
  readonly possible: (readonly Standing[])[];
  readonly keys: Set<string>;
  isRefusing: boolean;
  /** It has rebooted since its Download, and no session since has told what it runs. */
  isBack: boolean;
}

/** A moment of a record. */
export type RecordedMoment = ReadonlyMap<string, number>;

/**
 * Where the operation of each CPE of a batch can stand, by what the CPE itself has done. A step that the ACS learns of later makes two things
 * possible; once the ACS has answered only what it must have stored before it did. So whatever is told of the batch can be held to it at
 * any moment, however slow either is.
 */
export class BatchRecord {
  readonly #own = new Map<string, Own>();

  /** @param kindOf  by the index of a CPE, from 0 */
  constructor({ cpes, events }: Pick<Fleet, 'cpes' | 'events'>, kindOf: (index: number) => RecordedKind) {
    for (const [index, { identity, inSession }] of cpes.entries())
      this.#own.set(identity.serialNumber, {
        kind: kindOf(index),
        possible: [inSession ? ['pending', 'running'] : ['pending']],
        keys: new Set(),
        isRefusing: false,
        isBack: false,
      });
    events.on('inform', ({ identity }) => informed(this.#of(identity)));
    events.on('download', ({ identity, commandKey }) => downloadRead(this.#of(identity), commandKey));
    events.on('transfer', ({ identity, fault }) => {
      if (fault !== null) this.#of(identity).possible.push(['running', `failed fault-${fault.faultCode}`]);
    });
    events.on('transfer-complete-sent', ({ identity, fault }) => {
      if (fault !== null) this.#of(identity).possible.push([`failed fault-${fault.faultCode}`]);
    });
    events.on('reboot', ({ identity }) => rebooted(this.#of(identity)));
    events.on('version', ({ identity }) => this.#of(identity).possible.push(['running', 'verified']));
    events.on('gone', ({ identity }) =>
      this.#of(identity).possible.push(['running', 'timed-out not-heard-of']),
    );
    events.on('session', ({ identity, outcome, events: codes }) =>
      sessionOver(this.#of(identity), outcome === 'ended', codes),
    );
  }

  now(): RecordedMoment {
    return new Map([...this.#own].map(([serial, { possible }]) => [serial, possible.length - 1]));
  }

  /** Where each operation can have stood at any one time since that moment. */
  since(moment: RecordedMoment): readonly ReadonlySet<Standing>[] {
    return [...this.#own].map(
      ([serial, { possible }]) => new Set(possible.slice(moment.get(serial) ?? 0).flat()),
    );
  }

  /** How many different CommandKeys a CPE has read. */
  downloads({ identity }: Pick<SimulatedCpe, 'identity'>): number {
    return this.#of(identity).keys.size;
  }

  #of({ serialNumber }: CpeIdentity): Own {
    const own = this.#own.get(serialNumber);
    if (own === undefined) throw new Error(`${serialNumber} is none of the fleet`);
    return own;
  }
}

function lastOf({ possible }: Own): readonly Standing[] {
  return possible.at(-1) ?? [];
}

/** From here on it may be sent its Download. */
function informed(own: Own): void {
  if (lastOf(own).includes('pending')) own.possible.push(['pending', 'running']);
}

function downloadRead(own: Own, commandKey: string): void {
  const { refused } = own.kind;
  own.isRefusing = refused !== undefined && (refused !== 'pending' || own.keys.size === 0);
  own.possible.push(own.isRefusing && refused !== undefined ? ['running', refused] : ['running']);
  own.keys.add(commandKey);
}

function rebooted(own: Own): void {
  if (!lastOf(own).includes('running')) return;
  own.isBack = true;
  // Another version is told by an event of its own, before the CPE informs.
  if (own.kind.staysOld === true) own.possible.push(['running', 'failed old-version']);
}

function sessionOver(own: Own, isEnded: boolean, codes: readonly string[]): void {
  const { refused } = own.kind;
  // Where it broke off, nobody knows whether the fault was heard.
  if (isEnded && own.isRefusing && refused !== undefined) own.possible.push([refused]);
  own.isRefusing = false;
  if (!isEnded || !own.isBack || !codes.includes('1 BOOT')) return;
  own.isBack = false;
  own.possible.push(lastOf(own).filter((standing) => standing !== 'running'));
}

/** What of a batch cannot be as it is told, by what its CPEs have done meanwhile; empty where all of it can. */
export function contradictions(
  { state, progress, reasons }: BatchTold,
  possible: readonly ReadonlySet<Standing>[],
): readonly string[] {
  const { total = 0, ...states } = progress;
  const wrong: string[] = [];
  const hold = (what: string, count: number, partOf: (standing: Standing) => string | undefined) => {
    const parts = possible.map((each) => new Set([...each].map(partOf)));
    const most = parts.filter((each) => each.has(what)).length;
    const least = parts.filter((each) => each.has(what) && each.size === 1).length;
    if (count < least || count > most) wrong.push(`${count} ${what}, where from ${least} to ${most} can be`);
  };
  const sum = Object.values(states).reduce((all, count) => all + count, 0);
  if (total !== possible.length || sum !== total)
    wrong.push(`${total} in all, ${sum} in all states, of ${possible.length}`);
  for (const [each, count] of Object.entries(states)) hold(each, count, (standing) => standing.split(' ')[0]);
  const possibleReasons = [...new Set(possible.flatMap((each) => [...each].flatMap(reasonOf)))];
  for (const each of new Set([...possibleReasons, ...reasons.map(({ reason }) => reason)])) {
    const count = reasons.find(({ reason }) => reason === each)?.count ?? 0;
    hold(each, count, (standing) => standing.split(' ')[1]);
  }
  const expected = stateOf(states);
  if (state !== expected) wrong.push(`${state}, where these counts are ${expected}`);
  return wrong;
}

function reasonOf(standing: Standing): readonly string[] {
  return standing.split(' ').slice(1);
}

/** What counts come to of a batch that nobody has cancelled. */
function stateOf({
  pending = 0,
  running = 0,
  verified = 0,
  failed = 0,
  ...others
}: BatchTold['progress']): string {
  const ended = verified + failed + (others['timed-out'] ?? 0);
  if (pending + running > 0) return running + ended > 0 ? 'in-progress' : 'idle';
  return ended > verified ? 'failed' : 'success';
}
