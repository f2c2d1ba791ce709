import { type Logic, outcomeOf } from './logic.js';
import type { Outcome, Subject, World } from './subject.js';

/** Whatever a CPE is, as long as what is looked at is known of it. */
export type Verdict = 'always' | 'never';

/** Assignments tried for one piece of a condition; what takes more is not told. */
const ASSIGNMENTS_MAX = 4_096;
/** Pieces of logic looked at for one condition, all together: some milliseconds. */
const STEPS_MAX = 100_000;
const TRUE_OR_FALSE: readonly Outcome[] = [true, false];

/** What a piece of logic depends on. */
interface Variables {
  readonly subjects: ReadonlySet<Subject>;
  readonly keys: ReadonlySet<string>;
  /** Pieces of logic in it. */
  readonly size: number;
}

/** Tells what is always true and what is never, within one budget for a condition. */
export class Judge {
  #stepsLeft = STEPS_MAX;
  readonly #variables = new Map<Logic, Variables>();

  /** Null where it depends on the CPE, or that is not certain. */
  verdictOf(logic: Logic): Verdict | null {
    const whole = this.#verdictOfPiece(logic);
    if (whole !== 'too-much') return whole;
    if (logic.kind !== 'and' && logic.kind !== 'or') return null;
    // What speaks of one subject alone may decide the chain by itself.
    const decisive = logic.kind === 'or' ? 'always' : 'never';
    for (const operands of this.#bySubject(logic.operands)) {
      if (operands.length > 1 && this.#verdictOfPiece({ ...logic, operands }) === decisive) return decisive;
    }
    return null;
  }

  #verdictOfPiece(logic: Logic): Verdict | 'too-much' | null {
    const always = this.#holdsAlike(logic, false);
    if (always === 'too-much') return always;
    if (always === true) return 'always';
    // Something may be missing of a CPE, and make true what was not.
    const never = this.#holdsAlike(logic, true);
    return never === false ? 'never' : never === 'too-much' ? never : null;
  }

  /** True or false where it is that under every assignment, null where that differs. */
  #holdsAlike(logic: Logic, missing: boolean): boolean | 'too-much' | null {
    const { subjects, keys, size } = this.#variablesOf(logic);
    if (subjects.size === 0) return null;
    const axes = [
      ...[...subjects].map((subject) => ({ of: subject, values: subject.worlds(missing) })),
      ...[...keys].map((key) => ({ of: key, values: TRUE_OR_FALSE })),
    ];
    let count = 1;
    for (const { values } of axes) {
      count *= values.length;
      if (count > ASSIGNMENTS_MAX) return 'too-much';
    }
    let alike: boolean | null = null;
    for (let number = 0; number < count; number++) {
      this.#stepsLeft -= size;
      if (this.#stepsLeft < 0) return null;
      const holds = outcomeUnder(logic, axes, number) === true;
      alike ??= holds;
      if (alike !== holds) return null;
    }
    return alike;
  }

  #bySubject(operands: readonly Logic[]): Iterable<readonly Logic[]> {
    const groups = new Map<Subject, Logic[]>();
    for (const operand of operands) {
      const { subjects, keys } = this.#variablesOf(operand);
      const [subject, ...others] = subjects;
      if (subject === undefined || others.length > 0 || keys.size > 0) continue;
      groups.set(subject, [...(groups.get(subject) ?? []), operand]);
    }
    return groups.values();
  }

  #variablesOf(logic: Logic): Variables {
    const known = this.#variables.get(logic);
    if (known !== undefined) return known;
    const variables = this.#gather(logic);
    this.#variables.set(logic, variables);
    return variables;
  }

  #gather(logic: Logic): Variables {
    switch (logic.kind) {
      case 'atom':
        return { subjects: new Set([logic.subject]), keys: new Set(), size: 1 };
      case 'free':
        return { subjects: new Set(), keys: new Set([logic.key]), size: 1 };
      case 'fixed':
        return { subjects: new Set(), keys: new Set(), size: 1 };
      case 'not':
        return this.#variablesOf(logic.operand);
      case 'and':
      case 'or': {
        const parts = logic.operands.map((operand) => this.#variablesOf(operand));
        return {
          subjects: new Set(parts.flatMap(({ subjects }) => [...subjects])),
          keys: new Set(parts.flatMap(({ keys }) => [...keys])),
          size: parts.reduce((sum, { size }) => sum + size, 1),
        };
      }
      default:
        return logic satisfies never;
    }
  }
}

interface Axis {
  readonly of: Subject | string;
  readonly values: readonly (World | Outcome)[];
}

/** Under one of the assignments, which are numbered through. */
function outcomeUnder(logic: Logic, axes: readonly Axis[], number: number): Outcome {
  const worlds = new Map<Subject, World>();
  const outcomes = new Map<string, Outcome>();
  let rest = number;
  for (const { of, values } of axes) {
    const value = values[rest % values.length];
    rest = Math.floor(rest / values.length);
    if (typeof of === 'string') outcomes.set(of, value === true);
    else if (typeof value === 'object') worlds.set(of, value);
  }
  return outcomeOf(
    logic,
    (subject) => worlds.get(subject) ?? NOWHERE,
    (key) => outcomes.get(key) ?? 'missing',
  );
}

const NOWHERE: World = { value: undefined, slot: null };
