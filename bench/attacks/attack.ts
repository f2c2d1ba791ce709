/** Where a server that is attacked can be reached, and what whoever attacks it has come to know. */
export interface Target {
  readonly cwmpPort: number;
  readonly nbiPort: number;
  readonly filePort: number;
  /** Connections that the file port takes. */
  readonly fileConnections: number;
  /** Who may only read, and who may also act. */
  readonly viewer: Credentials;
  readonly operator: Credentials;
  /** The path of a Download on the file port, token and all. */
  readonly downloadPath: string;
  /** Where rule files are, for the attacks that have the server started with them. */
  readonly rulesDir: string;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/**
 * One way to take the server from the others: plain HTTP at the rate at which it was seen to do harm. It runs in a process of its own,
 * which is killed when its time is over, so that nothing here ends by itself.
 */
export interface Attack {
  readonly name: string;
  /** Its number in the review that found it; none for a sibling that the review did not try. */
  readonly finding?: number;
  readonly describe: string;
  /** How the server is started for it. */
  readonly server?: { readonly hasRuleFiles?: boolean; readonly descriptors?: number };
  /** Whether users who have not logged in before try to meanwhile. */
  readonly logsIn?: boolean;
  /** Before anything is measured. */
  prepare?(target: Target): Promise<void>;
  /** Begins, and goes on until the process ends. */
  begin(target: Target, tally: Tally): void;
}

/** What became of what an attack sent, by a word for each outcome. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(outcome: string, count = 1): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + count);
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
