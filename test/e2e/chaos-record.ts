import type { CpeIdentity, Fleet } from '../../cpe-sim/index.js';

/** Of a story that never ends the end is what tells. */
const CHAPTERS_MAX = 300;
const GENERAL_LINES_MAX = 300;

/** What a CPE has met that its server must answer for, in order. */
type Met =
  | { readonly kind: 'session' }
  | { readonly kind: 'download'; readonly commandKey: string }
  | { readonly kind: 'queue-asked'; readonly commandKeys: readonly string[] | null };

interface UnderWay {
  readonly cpeid: string;
  isTransferred: boolean;
}

/**
 * What the CPEs themselves have seen, whatever their server says. Beside it, for whoever must find out what went wrong, the
 * story of each CPE: what it did and what the nodes logged of it.
 */
export class ChaosRecord {
  readonly #met = new Map<string, Met[]>();
  readonly #stories = new Map<string, string[]>();
  readonly #general: string[] = [];
  readonly #concurrentMost = new Map<string, number>();

  /** Listens to the CPEs of one campaign. */
  watch(fleet: Pick<Fleet, 'events'>, campaign: string): void {
    const underWay = new Map<string, UnderWay>();
    const { events } = fleet;
    events.on('inform', ({ identity, events: codes }) => {
      const cpeid = cpeidOf(identity);
      this.#meets(cpeid, { kind: 'session' });
      this.#tells(cpeid, `cpe   informed ${codes.join(', ')}`);
      // Its server may learn from here on that the upgrade is over, even where the CPE does not learn so.
      for (const [key, each] of underWay)
        if (each.cpeid === cpeid && each.isTransferred) underWay.delete(key);
    });
    events.on('session', (session) => {
      const { identity, outcome } = session;
      const retry = session.outcome === 'failed' ? `: ${session.reason}, again in ${session.retryMs} ms` : '';
      this.#tells(cpeidOf(identity), `cpe   session ${outcome}${retry}`);
    });
    events.on('queue-asked', ({ identity, method, commandKeys }) => {
      const cpeid = cpeidOf(identity);
      this.#meets(cpeid, { kind: 'queue-asked', commandKeys });
      this.#tells(cpeid, `cpe   ${method}: ${commandKeys?.join() ?? 'not supported'}`);
    });
    events.on('download', ({ identity, commandKey, repeat }) => {
      const cpeid = cpeidOf(identity);
      this.#meets(cpeid, { kind: 'download', commandKey });
      this.#tells(cpeid, `cpe   Download ${commandKey}, repeat ${repeat}`);
      underWay.set(commandKey, { cpeid, isTransferred: false });
      this.#concurrentMost.set(campaign, Math.max(this.concurrentMost(campaign), underWay.size));
    });
    events.on('transfer', ({ identity, commandKey, fault }) => {
      this.#tells(cpeidOf(identity), `cpe   transfer of ${commandKey}: ${fault?.faultCode ?? 'done'}`);
      const each = underWay.get(commandKey);
      if (each !== undefined) each.isTransferred = true;
    });
    events.on('transfer-complete-sent', ({ identity, commandKey }) =>
      this.#tells(cpeidOf(identity), `cpe   TransferComplete of ${commandKey} was answered`),
    );
    events.on('connection-request', ({ identity, outcome }) =>
      this.#tells(cpeidOf(identity), `cpe   connection request: ${outcome}`),
    );
    events.on('version', ({ identity, to }) => this.#tells(cpeidOf(identity), `cpe   runs ${to}`));
  }

  /** Takes a line that a node has logged. */
  logged(node: string, line: string): void {
    const cpeid = /\bcpeid=(\S+)/.exec(line)?.[1];
    if (cpeid !== undefined) this.#tells(cpeid, `${node} ${line}`);
    else add(this.#general, `${new Date().toISOString()} ${node} ${line}`, GENERAL_LINES_MAX);
  }

  /** CommandKeys of the Downloads that a CPE has read, in order. */
  downloads(cpeid: string): readonly string[] {
    return this.#metBy(cpeid).flatMap((met) => (met.kind === 'download' ? [met.commandKey] : []));
  }

  /**
   * CommandKeys that a CPE was given again although it had not been asked since whether it has them, and answered that it has not;
   * or, where it does not tell, had not been asked in two sessions.
   */
  unaskedRepeats(cpeid: string): readonly string[] {
    const met = this.#metBy(cpeid);
    return met.flatMap((each, at) => {
      if (each.kind !== 'download') return [];
      const { commandKey } = each;
      const before = met.findLastIndex(
        (other, index) => index < at && other.kind === 'download' && other.commandKey === commandKey,
      );
      return before < 0 || allowsRepeat(met.slice(before, at), commandKey) ? [] : [commandKey];
    });
  }

  /** The most CPEs of a campaign that had a Download, and could not yet have reported its end, at any one moment. */
  concurrentMost(campaign: string): number {
    return this.#concurrentMost.get(campaign) ?? 0;
  }

  story(cpeid: string): string {
    return [`The story of ${cpeid}:`, ...(this.#stories.get(cpeid) ?? [])].join('\n');
  }

  /** What the nodes have logged that is about no CPE. */
  get general(): string {
    return this.#general.join('\n');
  }

  #metBy(cpeid: string): readonly Met[] {
    return this.#met.get(cpeid) ?? [];
  }

  #meets(cpeid: string, met: Met): void {
    const all = this.#met.get(cpeid) ?? [];
    all.push(met);
    this.#met.set(cpeid, all);
  }

  #tells(cpeid: string, chapter: string): void {
    const story = this.#stories.get(cpeid) ?? [];
    add(story, `${new Date().toISOString()} ${chapter}`, CHAPTERS_MAX);
    this.#stories.set(cpeid, story);
  }
}

export function cpeidOf({ oui, productClass, serialNumber }: CpeIdentity): string {
  return `${oui}-${productClass}-${serialNumber}`;
}

/** @param met  since the Download was read last */
function allowsRepeat(met: readonly Met[], commandKey: string): boolean {
  const last = met.findLast((each) => each.kind === 'queue-asked');
  if (last === undefined) return false;
  if (last.commandKeys !== null) return !last.commandKeys.includes(commandKey);
  let session = 0;
  const asked = new Set<number>();
  for (const each of met) {
    if (each.kind === 'session') session++;
    if (each.kind === 'queue-asked') asked.add(session);
  }
  return asked.size >= 2;
}

function add(lines: string[], line: string, most: number): void {
  lines.push(line);
  if (lines.length > most) lines.shift();
}
