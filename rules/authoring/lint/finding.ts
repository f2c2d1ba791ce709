/** `error`: the server refuses the file, or will from the next release on. `warning`: it is probably not what was meant. `note`: good to know. */
export type Severity = 'error' | 'warning' | 'note';

/**
 * What `ferry rules check` finds beside errors, with how it is counted and what it is about in a few words. docs/rules.md explains
 * each; a code stays what it is, so that scripts can name it.
 */
export const LINTS = {
  'unknown-path': { severity: 'warning', title: 'a field that no CPE has' },
  'unknown-function': { severity: 'warning', title: 'a function or variable that there is not' },
  'missing-prefix': { severity: 'warning', title: 'a parameter without `parameters.` before it' },
  'secret-parameter': { severity: 'warning', title: 'a parameter whose value is a secret' },
  'list-equality': {
    severity: 'warning',
    title: 'a list compared with a single value, or the other way round',
  },
  'negated-missing': { severity: 'warning', title: 'a negation that holds where a field is missing' },
  'unlike-types': { severity: 'warning', title: 'a text compared with a number, or the other way round' },
  'version-as-text': { severity: 'warning', title: 'versions ordered as texts' },
  'version-order': { severity: 'note', title: 'a version whose order is another than one would think' },
  'pattern-equality': { severity: 'warning', title: 'a pattern compared with `=`' },
  'star-in-text': { severity: 'warning', title: 'a `*` that is no pattern' },
  'pattern-in-text': { severity: 'warning', title: 'a pattern that is only a text' },
  'operator-in-text': { severity: 'warning', title: 'an operator that is part of a text' },
  'list-in-text': { severity: 'warning', title: 'several values in one text' },
  'letter-case': { severity: 'warning', title: 'capitals where there are none, or the other way round' },
  'not-an-address': { severity: 'warning', title: 'an address compared with what is none' },
  'wrong-arguments': { severity: 'warning', title: 'a call that fails for every CPE' },
  'bucket-fraction': { severity: 'warning', title: 'a bucket compared with a fraction' },
  seconds: { severity: 'warning', title: 'seconds where milliseconds are' },
  'no-tags': { severity: 'warning', title: 'tags, which nothing sets yet' },
  'no-comparison': { severity: 'warning', title: 'a number or a text where true or false is wanted' },
  'compare-versions-equals': { severity: 'warning', title: '$compareVersions equal to something but 0' },
  'and-or-mixed': { severity: 'warning', title: '`and` beside `or` without parentheses' },
  'constant-operand': { severity: 'error', title: 'a constant as operand of `and` or `or`' },
  'always-true': { severity: 'error', title: 'a part of a condition that is true for every CPE' },
  'never-true': { severity: 'warning', title: 'a part of a condition that is true for no CPE' },
  'every-bucket': { severity: 'note', title: 'a canary of all CPEs' },
  'constant-condition': { severity: 'warning', title: 'a condition that reads nothing of the CPE' },
  'unknown-event': { severity: 'warning', title: 'an event code that no CPE sends' },
  'not-a-cpeid': { severity: 'warning', title: 'a cpeid that no CPE can have' },
  'no-limits': { severity: 'warning', title: 'a rule for a fleet without limits' },
  'not-indexed': { severity: 'warning', title: 'a condition that is evaluated in every session' },
  'never-runs': { severity: 'warning', title: 'executions of 0' },
  'time-over': { severity: 'warning', title: 'a rule whose time is over' },
  'never-open': { severity: 'warning', title: 'a window that does not open within the rule’s time' },
  'both-day-fields': { severity: 'warning', title: 'a window by day of the month and weekday at once' },
  'zone-sign': { severity: 'warning', title: 'a time zone whose sign is turned round' },
  'zone-without-summer': { severity: 'warning', title: 'a time zone without summer time' },
  'window-reopens': { severity: 'warning', title: 'a window that opens anew while it is open' },
  'no-target': { severity: 'warning', title: 'a file by URL without a target version' },
  'same-upgrade': { severity: 'warning', title: 'one upgrade under two ids' },
  shadowed: { severity: 'warning', title: 'a rule that another one leaves nothing to do' },
  'upgraded-twice': {
    severity: 'warning',
    title: 'two rules that upgrade the same CPEs one after the other',
  },
  uncompiled: { severity: 'note', title: 'a condition that runs in JSONata itself' },
} as const satisfies Readonly<Record<string, { readonly severity: Severity; readonly title: string }>>;

export type LintCode = keyof typeof LINTS;

/** Something to be said of a node. */
export interface NodeRemark {
  readonly code: LintCode;
  readonly message: string;
}

/** What is to be said of one rule, before it is known where in its file that is. */
export interface Remark {
  readonly code: LintCode;
  /** What was found and what to write instead, as a sentence without a full stop. */
  readonly message: string;
  /** The way down from the rule to the field. */
  readonly path: readonly string[];
  /** Where in the text of that field, counted from 0. */
  readonly character?: number;
}

/** One line of a report. */
export interface Finding {
  readonly severity: Severity;
  /** A {@link LintCode}, or that of an error. */
  readonly code: string;
  readonly message: string;
  /** As it was named on the command line. */
  readonly file: string;
  /** Counted from 1; absent where the file as a whole is meant. */
  readonly line?: number;
  readonly column?: number;
  /** Absent where the rule could not be read so far. */
  readonly ruleId?: string;
  /** Dotted path of the rule's field; empty for the rule as a whole. */
  readonly field: string;
}

/** A value in a message, as JSON and cut short. */
export function quoted(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > QUOTED_CHARACTERS_MAX ? `${json.slice(0, QUOTED_CHARACTERS_MAX)}…` : json;
}

const QUOTED_CHARACTERS_MAX = 80;
