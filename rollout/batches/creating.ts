import { randomUUID } from 'node:crypto';
import { type BatchId, epochMsOf, type Logger, type OrganizationId, type Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { type Build, BuildError } from '../../firmware/index.js';
import { OrganizationError, requiringOrganization } from '../../organizations/index.js';
import { InvalidRuleError, type OwnedRules, type Rules } from '../../rules/index.js';
import type { Change } from '../../store/index.js';
import { type Aim, Aims, type AimsParts, buildOf } from './aims.js';
import type { Batch, BatchWhom } from './batch.js';
import { fleetRule, MeantImages, sentOf } from './batch-rules.js';
import { type BatchStore, ownedBy, shown } from './batch-store.js';
import { BatchError, busy, type NewBatch, notFound } from './batches.js';
import type { Cancelling } from './cancelling.js';
import { batchFields, ofRule } from './fields.js';
import type { Hold } from './hold.js';
import type { Maker, Making, MakingOptions } from './maker.js';
import type { Removing } from './removing.js';
import { endOfWaiting } from './state.js';
import type { Tasks } from './tasks.js';

export interface CreatingParts extends AimsParts {
  readonly kept: BatchStore;
  readonly maker: Maker;
  readonly cancelling: Cancelling;
  readonly removing: Removing;
  readonly rules: Pick<Rules, 'check'> & { readonly owned: Pick<OwnedRules, 'put'> };
  readonly logger: Logger;
  readonly turn: Turn;
  readonly tasks: Tasks;
  readonly hold: (id: BatchId) => Promise<Hold | null>;
  readonly isOver: () => boolean;
}

/** Stores new batches, and has them made. */
export class Creating {
  readonly #parts: CreatingParts;

  constructor(parts: CreatingParts) {
    this.#parts = parts;
  }

  /** @throws as `Batches.create` */
  async create(said: NewBatch, by: Actor): Promise<Batch> {
    const { kept, rules } = this.#parts;
    const nowMs = kept.clock();
    const fields = await batchFields(said, { rules, nowMs });
    const build = await this.#requireWhat(said);
    const { what, whom, organization, listed = true } = said;
    const batch: Batch = {
      id: randomUUID() as BatchId,
      ...(organization !== undefined && { organization: organization as OrganizationId }),
      ...fields,
      what,
      whom: storedWhom(said),
      phase: whom.kind === 'condition' ? 'made' : 'preparing',
      ...(listed && { listedAtMs: nowMs }),
      ...(whom.kind === 'condition' && !fields.persistent && { endsAtMs: endOfWaiting(fields, nowMs) }),
      by: by.name,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    if (whom.kind === 'condition') return this.#createByCondition(batch, build, by);
    const hold = await this.#hold(batch.id);
    const noted = () => [this.#parts.kept.noting('added', batch, { by, after: shown(batch) })];
    if (whom.kind !== 'list' && whom.kind !== 'targets') {
      await this.#store(batch, hold, noted());
      this.goOn(batch, hold);
      return batch;
    }
    await this.#store(batch, hold, []);
    const aims = new Aims(this.#parts, batch);
    const portions = () =>
      whom.kind === 'list'
        ? aims.ofList(imageOf(batch), whom.cpeids)
        : aims.ofTargets(whom.targets(batch.id));
    // Of what is not made to its end nothing is noted either.
    return this.#createAtOnce(portions, { batch, build, hold, along: noted });
  }

  /** The build that it sends, or null. @throws BatchError `no-image`, `no-build`, `invalid` */
  async #requireWhat({ what, whom, organization }: NewBatch): Promise<Build | null> {
    const { images } = this.#parts;
    if ('build' in what) {
      if (whom.kind !== 'build' && whom.kind !== 'targets')
        throw new BatchError('invalid', 'build', 'an image: a build is for its own devices');
      const build = await images.builds.get(what.build, organization ?? null);
      if (build === null) throw new BatchError('no-build', 'build', 'one that there is');
      return build;
    }
    if (whom.kind === 'build')
      throw new BatchError('invalid', 'image', 'a build, whose devices are to get it');
    // What targets are sent is looked up for each of them.
    if (whom.kind === 'targets') return null;
    const meant = await new MeantImages(images).named(what.image, organization);
    if (meant === null) throw new BatchError('no-image', 'image', 'the name of an image that there is');
    return null;
  }

  async #hold(id: BatchId): Promise<Hold> {
    const hold = await this.#parts.hold(id);
    // Of an id that has just been made nobody has it.
    if (hold === null) throw busy();
    return hold;
  }

  async #store(batch: Batch, hold: Hold, noted: readonly Change[]): Promise<void> {
    try {
      const { committed } = await this.#parts.kept.store.commit([
        ...(await this.#ownerRequired(batch)),
        this.#parts.kept.batches.inserting(batch),
        this.#parts.kept.gatePut(batch.id, 'closed'),
        ...noted,
      ]);
      if (!committed) throw busy();
    } catch (error) {
      await hold.release();
      throw error;
    }
  }

  async #ownerRequired({ organization }: Batch): Promise<readonly Change[]> {
    if (organization === undefined) return [];
    return [(await requiringOrganization(this.#parts.kept.store, organization)).isThere];
  }

  /** All of it is one rule, and so one commit. */
  async #createByCondition(batch: Batch, build: Build | null, by: Actor): Promise<Batch> {
    const { whom } = batch;
    if (whom.kind !== 'condition') throw new TypeError('not by condition');
    try {
      const outcome = await this.#parts.rules.owned.put(
        [fleetRule({ ...batch, ...timesOfRule(batch) }, whom.condition, sentOf(imageOf(batch), build))],
        {
          ...ownedBy(batch),
          along: [
            this.#parts.kept.batches.inserting(batch),
            this.#parts.kept.gatePut(batch.id, 'open'),
            this.#parts.kept.noting('added', batch, { by, after: shown(batch) }),
          ],
        },
      );
      if (!outcome.committed) throw busy();
      return batch;
    } catch (error) {
      if (!(error instanceof InvalidRuleError)) throw error;
      const [problem] = error.problems;
      throw problem === undefined ? error : ofRule(problem);
    }
  }

  /** Of what only the caller has: made to its end, or nothing is left of it. */
  async #createAtOnce(
    portions: () => AsyncIterable<readonly Aim[]>,
    options: Pick<MakingOptions, 'batch' | 'build' | 'hold' | 'along'>,
  ): Promise<Batch> {
    const { batch, hold } = options;
    const making = this.#parts.maker
      .make(portions, { ...options, isOver: this.#parts.isOver, onMoved: 'throw' })
      .catch(async (error: unknown) => {
        await this.#unmake(batch.id, hold);
        throw error;
      })
      .finally(() => hold.release());
    this.#parts.tasks.track(batch.id, making);
    const made = await making;
    const stored = await this.#parts.kept.seen(batch.id);
    if (stored === null) throw notFound();
    const { document } = stored;
    if (made === 'made' || document.phase !== 'preparing') return document;
    throw new BatchError('state', null, 'a process that goes on: this one stops, and the batch is not made');
  }

  /** Others see to it where this does not come to its end. */
  async #unmake(id: BatchId, hold: Hold): Promise<void> {
    const { logger } = this.#parts;
    try {
      const hidden = await this.#parts.removing.hide(id, null);
      await this.#parts.removing.run(hidden, { hold, isOver: this.#parts.isOver });
    } catch (error) {
      logger.warn('batches.not-unmade', { batch: id, error });
    }
  }

  /** Makes in the background what can be found again by whoever goes on with it; lets go of the hold. */
  goOn(batch: Batch, hold: Hold): void {
    const making = this.#find(batch, hold)
      .catch((error: unknown) => this.#failed(batch, error))
      .finally(() => hold.release());
    this.#parts.tasks.track(batch.id, making);
  }

  async #find(batch: Batch, hold: Hold): Promise<Making> {
    const build = await buildOf(this.#parts, batch);
    const aims = new Aims(this.#parts, batch);
    const { turn } = this.#parts;
    const { whom } = batch;
    const portions = () =>
      whom.kind === 'build' && build !== null
        ? aims.ofBuild(build, whom.firmwareless, turn)
        : aims.ofAll(imageOf(batch), turn);
    return this.#parts.maker.make(portions, {
      batch,
      hold,
      build,
      isOver: this.#parts.isOver,
      onMoved: 'again',
      turn,
    });
  }

  async #failed({ id }: Batch, error: unknown): Promise<void> {
    this.#parts.logger.error('batches.making-failed', { batch: id, error });
    // What it was made of is gone: it would fail for ever.
    if (error instanceof BuildError || error instanceof OrganizationError)
      await this.#parts.cancelling.close(id, null).catch(() => {});
  }
}

function storedWhom({ whom }: NewBatch): BatchWhom {
  switch (whom.kind) {
    case 'list':
    case 'targets':
      return { kind: 'list' };
    case 'all':
      return { kind: 'all' };
    case 'condition':
      return { kind: 'condition', condition: whom.condition };
    case 'build':
      return { kind: 'build', firmwareless: whom.firmwareless };
    default:
      return whom satisfies never;
  }
}

/** Nobody need look for the rule to end in time. */
function timesOfRule({ notAfter, endsAtMs }: Batch): Pick<Batch, 'notAfter'> {
  if (endsAtMs === undefined) return {};
  const said = notAfter === undefined ? null : epochMsOf(notAfter);
  return said !== null && said <= endsAtMs ? {} : { notAfter: new Date(endsAtMs).toISOString() };
}

/** The image of a batch that sends one; what a build's devices get is said of each. */
function imageOf({ what }: Batch): string {
  return 'image' in what ? what.image : '';
}
