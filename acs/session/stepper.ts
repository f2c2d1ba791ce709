import { requireCurrent, type StepRequest } from './decision.js';
import type { Answer, Input, Query, Reply, Session, Step } from './session.js';
import { step } from './step.js';
import type { SessionWork } from './work.js';

/**
 * What these do counts: a try, or what a CPE has declined. Done for a step that turns out void, a CPE that goes from process to process
 * would be given up sooner than another, or have undone what it was told elsewhere.
 */
const COUNTING: ReadonlySet<Query['kind']> = new Set([
  'provision',
  'record-provisioning',
  'record-parameters',
  'record-withdrawal',
  'record-unreadable',
]);

/** More questions than this in a row would be a loop in the protocol itself. */
const STEPS_MAX = 64;

/** What a session has become, and what its CPE is answered. */
export type Taken = Extract<Step, { reply: Reply }>;

/** Takes sessions on by as many steps as they go until there is something to send, answering what the steps ask on the way. */
export class Stepper {
  readonly #work: SessionWork;
  readonly #isStopping: () => boolean;

  /** @param isStopping  from then on nothing new is begun */
  constructor(work: SessionWork, isStopping: () => boolean) {
    this.#work = work;
    this.#isStopping = isStopping;
  }

  /** @throws what {@link SessionWork.perform} throws */
  async run(session: Session, input: Input, request: StepRequest): Promise<Taken> {
    let taken = step(session, input);
    for (let steps = 0; 'ask' in taken; steps++) {
      if (steps >= STEPS_MAX) throw new Error(`A session asked more than ${STEPS_MAX} questions in a row`);
      const facts = taken.session.phase === 'open' ? taken.session.facts : null;
      if (COUNTING.has(taken.ask.kind)) await requireCurrent(request);
      const answer = this.#declined(taken.ask) ?? (await this.#work.perform(taken.ask, facts, request));
      taken = step(taken.session, { kind: 'answer', answer });
    }
    return taken;
  }

  /** While stopping nothing new is begun in sessions that are under way either: it could not be finished. */
  #declined(query: Query): Answer | null {
    if (!this.#isStopping()) return null;
    if (query.kind === 'decide') return { to: 'decide', decision: { kind: 'nothing' } };
    // Nothing is lost by it: the next session asks again.
    if (query.kind === 'withdraw') return { to: 'withdraw', cancel: null };
    if (query.kind === 'doubt') return { to: 'doubt', question: null };
    if (query.kind === 'record-queue') return { to: 'record-queue', next: { kind: 'nothing' } };
    return query.kind === 'provision' ? { to: 'provision', next: null } : null;
  }
}
