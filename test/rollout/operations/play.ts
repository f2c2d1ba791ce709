import type { Upgrade } from '../../../acs/index.js';
import { UPGRADES } from '../../../acs/index.js';
import { advance, type Evidence, hasEnded } from '../../../acs/upgrade/life.js';
import { countedAs } from '../../../acs/upgrade/marks.js';
import { type BatchId, type CpeId, MINUTE_MS } from '../../../common/index.js';
import {
  BATCHES,
  type Batch,
  type BatchPhase,
  cancelAsked,
  failedFor,
  waitingAgain,
  withdrawn,
} from '../../../rollout/index.js';
import {
  gateIdOf,
  RULE_GATES,
  RULES,
  type RuleGate,
  type StoredRule,
  type UpgradeEnd,
} from '../../../rules/index.js';
import type { Change } from '../../../store/index.js';
import {
  cpe,
  device,
  fleetRule,
  pending,
  pinnedRule,
  START_MS,
  type TestOperations,
  upgradeBy,
} from './support.js';

const MISFIT = { verdict: 'image-does-not-fit', detail: 'another board' } as const;

export const PLAY_CPES = 4;
/** The operations of the first of these are those of a list, the others those of a condition. */
const OF_A_LIST = 2;

const EVIDENCE = {
  busy: { kind: 'download-fault', fault: { faultCode: 9004, faultString: '' }, repeats: 0 },
  fault: { kind: 'transfer-complete', fault: { faultCode: 9010, faultString: '' }, version: '1.0' },
  transferred: { kind: 'transfer-complete', fault: null, version: '1.0' },
  target: { kind: 'quiet', boot: true, applying: true, version: '2.0' },
  old: { kind: 'quiet', boot: true, applying: true, version: '1.0' },
  silence: { kind: 'deadline', version: '1.0', heardSince: false },
  given: { kind: 'cancel', reason: 'given up' },
} as const satisfies Record<string, Evidence>;

/** What is done by one CPE, or to its operation. */
export const STEPS = [
  'begin',
  'lose',
  'at-target',
  'unfit',
  'retry',
  'withdraw',
  'ask',
  'fail',
  'add',
  'remove',
  ...(Object.keys(EVIDENCE) as (keyof typeof EVIDENCE)[]),
] as const;
export type Step = (typeof STEPS)[number];

export interface Plan {
  readonly changes: readonly Change[];
  /** How the play goes on where they are committed. */
  readonly done: () => void;
}

export function isOfCpe(step: Step): step is keyof typeof EVIDENCE {
  return step in EVIDENCE;
}

/** What CPEs do, and what people do to a batch, one thing after the other: as the ACS and batches write it. */
export class Play {
  readonly #own: TestOperations;
  readonly batch: BatchId;
  /** By CPE, the last first. */
  readonly #upgrades = new Map<CpeId, readonly Upgrade[]>();
  #restarts = 0;
  #nowMs = START_MS;

  constructor(own: TestOperations, batch: BatchId) {
    this.#own = own;
    this.batch = batch;
  }

  /** A batch is in a phase, with its gate as that has it. */
  phase(phase: BatchPhase): readonly Change[] {
    const { store } = this.#own;
    const id = gateIdOf({ kind: 'batch', id: this.batch });
    const batch: Batch = {
      id: this.batch,
      name: '',
      what: { image: 'hgw-2.0.bin' },
      whom: { kind: 'condition', condition: {} },
      persistent: true,
      priority: 0,
      wakePerSecond: 0,
      options: {},
      phase,
      by: 'op',
      createdAtMs: START_MS,
      updatedAtMs: this.#nowMs,
    };
    return [
      store.collection<Batch>(BATCHES).putting(batch),
      store.collection<RuleGate>(RULE_GATES).putting({ id, state: phase === 'made' ? 'open' : 'closed' }),
      store.collection<StoredRule>(RULES).putting(fleetRule(this.batch, { restarts: this.#restarts })),
    ];
  }

  /** @returns null where the step comes to nothing */
  async planned(step: Step, index: number, late: boolean): Promise<Plan | null> {
    this.#nowMs += 20 * MINUTE_MS;
    const cpeid = cpe(index);
    const { ledger, operations, store } = this.#own;
    const rules = store.collection<StoredRule>(RULES);
    const upgrades = store.collection<Upgrade>(UPGRADES);
    const rule = this.#rule(index, this.#restarts);
    const begun = this.#upgrades.get(cpeid) ?? [];
    const isFree = begun.every(({ status }) => status);
    const found = await operations.of(this.batch, cpeid);
    const stored = found === null ? null : await this.#own.stored(this.batch, cpeid);
    const isPinned = index < OF_A_LIST;
    const gone = isPinned && stored !== null && (await rules.get(rule.id)) ? [rules.deleting(rule.id)] : [];
    switch (step) {
      case 'begin': {
        const upgrade = upgradeBy(rule, cpeid, this.#nowMs, { share: 0 });
        if (!isFree || (isPinned && (await rules.get(rule.id)) === null)) return null;
        return planOf(
          await ledger.beginning(upgrade, rule, device(cpeid)),
          [upgrades.inserting(upgrade)],
          () => this.#upgrades.set(cpeid, [upgrade, ...begun]),
        );
      }
      case 'at-target': {
        const upgrade = upgradeBy(rule, cpeid, this.#nowMs, { state: 'verified', status: true });
        if (!isFree) return null;
        return planOf(await ledger.atTarget(upgrade, rule), [upgrades.inserting(upgrade)]);
      }
      case 'lose': {
        const [last] = begun;
        if (last === undefined || last.status) return null;
        return planOf(await ledger.lost(last), [upgrades.deleting(last.id)], () =>
          this.#upgrades.set(cpeid, begun.slice(1)),
        );
      }
      case 'unfit':
        return planOf(await ledger.unfit(rule, device(cpeid), MISFIT), gone);
      case 'retry':
        if (stored === null || ['pending', 'running', 'verified'].includes(stored.document.state))
          return null;
        return planOf(
          ledger.moved(stored, waitingAgain(stored.document, 'op', this.#nowMs)),
          [rules.putting(this.#rule(index, this.#restarts + 1))],
          () => {
            this.#restarts++;
          },
        );
      case 'withdraw':
      case 'fail': {
        if (stored?.document.state !== 'pending') return null;
        const after =
          step === 'fail'
            ? failedFor(stored.document, 'too-late', this.#nowMs)
            : withdrawn(stored.document, 'op', this.#nowMs);
        return planOf(ledger.moved(stored, after), gone);
      }
      case 'ask':
        return stored === null
          ? null
          : planOf(ledger.moved(stored, cancelAsked(stored.document, 'op', this.#nowMs)));
      case 'add':
        return stored !== null || !isPinned
          ? null
          : planOf(ledger.adding([pending(this.batch, cpeid)]), [rules.putting(rule)]);
      case 'remove':
        return stored === null ? null : planOf(ledger.removing([stored]), gone);
      default:
        return this.#learnt(cpeid, begun, EVIDENCE[step], late ? 1 : 0);
    }
  }

  #rule(index: number, restarts: number): StoredRule {
    return index < OF_A_LIST
      ? pinnedRule(this.batch, cpe(index), { restarts })
      : fleetRule(this.batch, { restarts, executions: 3 });
  }

  async #learnt(cpeid: CpeId, upgrades: readonly Upgrade[], evidence: Evidence, which: number) {
    const before = upgrades[which];
    if (before === undefined) return null;
    const after = advance(before, evidence, this.#nowMs);
    if (after === before) return null;
    const also = [this.#own.store.collection<Upgrade>(UPGRADES).putting(after)];
    const done = () => {
      this.#upgrades.set(cpeid, upgrades.with(which, after));
    };
    if (!hasEnded(after.state)) return planOf([], also, done);
    const isLate = hasEnded(before.state);
    const isBusy = evidence.kind === 'download-fault' && !isLate;
    const end: UpgradeEnd = isBusy ? 'given-back' : countedAs(after);
    const previously = isLate ? countedAs(before) : undefined;
    return planOf(await this.#own.ledger.ending(after, end, previously), also, done);
  }

  /** An operation runs only while an upgrade of its own does. */
  async runsTruly(index: number): Promise<boolean> {
    const operation = await this.#own.operations.of(this.batch, cpe(index));
    const running = this.#upgrades.get(cpe(index))?.find(({ status }) => !status);
    return operation?.state !== 'running' || running?.id === operation.resultId;
  }
}

function planOf(
  changes: readonly Change[] | null,
  also: readonly Change[] = [],
  done: () => void = () => {},
): Plan | null {
  return changes === null ? null : { changes: [...also, ...changes], done };
}
