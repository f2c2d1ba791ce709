/** One evaluation, as it is sent to the evaluator. */
export interface Task {
  readonly id: number;
  /** A condition in string form; those in object form never need JSONata. */
  readonly text: string;
  readonly contextId: number;
  /** Left out where the evaluator holds it already: a data model is large, and a decision has many conditions. */
  readonly context?: object;
  /** A context that no task will name again. */
  readonly forget?: number;
}

/** What a condition came to, small whatever it computed. */
export type Outcome =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  /** Neither: `text` says what, in short. */
  | { readonly kind: 'other'; readonly text: string }
  | {
      readonly kind: 'error';
      /** The error's class; null for JSONata's own, which have a code. */
      readonly name: string | null;
      readonly code: string | null;
      readonly message: string;
    };

/** What the evaluator says. */
export type Report =
  | { readonly kind: 'ready' }
  /** Compiled, and the context is there: from now on it is the expression that takes time. */
  | { readonly kind: 'started'; readonly id: number }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly outcome: Outcome;
      /** Processor time it took, without that of compiling. */
      readonly cpuMs: number;
    };
