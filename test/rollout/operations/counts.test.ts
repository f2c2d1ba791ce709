import test from 'ava';
import fc from 'fast-check';
import type { Upgrade } from '../../../acs/index.js';
import { advance, type Evidence, hasEnded } from '../../../acs/upgrade/life.js';
import { countedAs } from '../../../acs/upgrade/marks.js';
import { type BatchId, type CpeId, MINUTE_MS } from '../../../common/index.js';
import { cancelAsked, failedFor, waitingAgain, withdrawn } from '../../../rollout/index.js';
import type { StoredRule, UpgradeEnd } from '../../../rules/index.js';
import type { Change } from '../../../store/index.js';
import {
  cpe,
  device,
  fleetRule,
  newBatch,
  openTestOperations,
  pending,
  pinnedRule,
  type TestOperations,
  upgradeBy,
} from './support.js';

const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 60);
const CPES = 4;
/** The operations of the first are those of a list, those of the others of a condition. */
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

const STEPS = [
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
type Step = (typeof STEPS)[number];

/** What CPEs do, and what people do to a batch, one thing after the other: as the ACS and batches would write it. */
class Play {
  readonly #own: TestOperations;
  readonly #batch: BatchId;
  /** By CPE, the last first. */
  readonly #upgrades = new Map<CpeId, Upgrade[]>();
  #restarts = 0;
  #nowMs = Date.UTC(2026, 0, 1);

  constructor(own: TestOperations, batch: BatchId) {
    this.#own = own;
    this.#batch = batch;
  }

  /** What a step would change, and how the play goes on where that is committed; null: nothing. */
  async planned(
    step: Step,
    index: number,
    late: boolean,
  ): Promise<{ readonly changes: readonly Change[]; readonly done: () => void } | null> {
    this.#nowMs += 20 * MINUTE_MS;
    const cpeid = cpe(index);
    const { ledger, operations } = this.#own;
    const restarts = { restarts: this.#restarts };
    const rule: StoredRule =
      index < OF_A_LIST
        ? pinnedRule(this.#batch, cpeid, restarts)
        : fleetRule(this.#batch, { ...restarts, executions: 3 });
    const upgrades = this.#upgrades.get(cpeid) ?? [];
    const isFree = upgrades.every(({ status }) => status);
    const found = await operations.of(this.#batch, cpeid);
    const stored = found === null ? null : await this.#own.stored(this.#batch, cpeid);
    const only = (changes: readonly Change[] | null, done = () => {}) =>
      changes === null ? null : { changes, done };
    switch (step) {
      case 'begin': {
        const upgrade = upgradeBy(rule, cpeid, this.#nowMs);
        if (!isFree) return null;
        const changes = await ledger.beginning(upgrade, rule, device(cpeid));
        return only(changes, () => this.#upgrades.set(cpeid, [upgrade, ...upgrades]));
      }
      case 'lose': {
        const [last] = upgrades;
        if (last === undefined || last.status) return null;
        return only(await ledger.lost(last), () => this.#upgrades.set(cpeid, upgrades.slice(1)));
      }
      case 'at-target':
        return isFree ? only(await ledger.atTarget(upgradeBy(rule, cpeid, this.#nowMs), rule)) : null;
      case 'unfit':
        return only(await ledger.unfit(rule, device(cpeid), 'another board'));
      case 'retry':
        if (stored === null || ['pending', 'running', 'verified'].includes(stored.document.state))
          return null;
        return only(ledger.moved(stored, waitingAgain(stored.document, 'op', this.#nowMs)), () => {
          this.#restarts++;
        });
      case 'withdraw':
      case 'fail': {
        if (stored?.document.state !== 'pending') return null;
        const after =
          step === 'fail'
            ? failedFor(stored.document, 'too-late', this.#nowMs)
            : withdrawn(stored.document, 'op', this.#nowMs);
        return only(ledger.moved(stored, after));
      }
      case 'ask':
        return stored === null
          ? null
          : only(ledger.moved(stored, cancelAsked(stored.document, 'op', this.#nowMs)));
      case 'add':
        return stored === null ? only(ledger.adding([pending(this.#batch, cpeid)])) : null;
      case 'remove':
        return stored === null ? null : only(ledger.removing([stored]));
      default:
        return this.#learnt(cpeid, upgrades, EVIDENCE[step], late ? 1 : 0);
    }
  }

  async #learnt(cpeid: CpeId, upgrades: readonly Upgrade[], evidence: Evidence, which: number) {
    const before = upgrades[which];
    if (before === undefined) return null;
    const after = advance(before, evidence, this.#nowMs);
    if (after === before) return null;
    const done = () => {
      this.#upgrades.set(cpeid, upgrades.with(which, after));
    };
    if (!hasEnded(after.state)) return { changes: [], done };
    const isLate = hasEnded(before.state);
    const isBusy = evidence.kind === 'download-fault' && !isLate;
    const end: UpgradeEnd = isBusy ? 'given-back' : countedAs(after);
    const previously = isLate ? countedAs(before) : undefined;
    return { changes: await this.#own.ledger.ending(after, end, previously), done };
  }

  /** An operation runs exactly while an upgrade of its own does. */
  async runs(index: number): Promise<boolean> {
    const operation = await this.#own.operations.of(this.#batch, cpe(index));
    const running = this.#upgrades.get(cpe(index))?.find(({ status }) => !status);
    if (operation?.state !== 'running') return true;
    return running?.id === operation.resultId;
  }
}

test('whatever CPEs and people do, on whichever node, the counts of a batch are those of its operations, and none runs without its upgrade', async (t) => {
  const own = await openTestOperations(t);
  const moves = fc.record({
    step: fc.constantFrom<Step>('begin', 'begin', 'add', ...STEPS),
    index: fc.nat(CPES - 1),
    late: fc.boolean(),
    // What another node plans at the same time for the same CPE.
    beside: fc.option(fc.constantFrom<Step>('begin', ...STEPS), { nil: null }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { minLength: 20, maxLength: 40 }), async (all) => {
      const batch = newBatch();
      const play = new Play(own, batch);
      for (const { step, index, late, beside } of all) {
        const plans = [await play.planned(step, index, late)];
        // An upgrade is written in the same commit, so that of two that learn of it one is refused: the same word is not planned twice.
        if (beside !== null && !(beside in EVIDENCE) && beside !== 'lose' && plans[0]?.changes.length)
          plans.push(await play.planned(beside, index, late));
        let committed = 0;
        for (const plan of plans) {
          if (plan === null || !(await own.commit(plan.changes)).committed) continue;
          if (plan.changes.length > 0) committed++;
          plan.done();
        }
        t.true(committed <= 1, `${step} and ${beside} both`);
        t.deepEqual(sorted(await own.operations.counts(batch)), sorted(await own.counted(batch)));
        t.true(await play.runs(index), `${step} beside ${beside}`);
      }
    }),
    { numRuns },
  );
});

function sorted({ byReason, ...rest }: Awaited<ReturnType<TestOperations['counted']>>) {
  return { ...rest, byReason: Object.fromEntries(Object.entries(byReason).sort()) };
}
