import { PROBLEMS_MAX } from '../validation/index.js';
import type { AppliedFile } from './apply.js';
import type { RuleFileProblem } from './rule-file.js';

/**
 * The files of which the store has all rules, and no rules of others. Of each only what is small: a change is applied as what it
 * changes, and what became of all files is told all the same.
 */
export class AppliedFiles {
  readonly #files: ReadonlyMap<string, AppliedFile>;

  constructor(files: Iterable<AppliedFile>) {
    this.#files = new Map([...files].map((file) => [file.name, file]));
  }

  /** Names of those that are not among the ones given. */
  without(names: Iterable<string>): readonly string[] {
    const there = new Set(names);
    return [...this.#files.keys()].filter((name) => !there.has(name));
  }

  /** By what content a file was applied; null where it was not there. */
  digestOf(name: string): string | null {
    return this.#files.get(name)?.digest ?? null;
  }

  /** What is applied once some files have changed and only these and the unchanged ones are there. */
  next(changed: readonly AppliedFile[], unchanged: ReadonlySet<string>): AppliedFiles {
    const kept = [...this.#files.values()].filter(({ name }) => unchanged.has(name));
    return new AppliedFiles([...kept, ...changed]);
  }

  /** As if all of them had just been applied. */
  summary(): {
    readonly files: number;
    readonly rules: number;
    readonly warnings?: readonly RuleFileProblem[];
  } {
    let rules = 0;
    const warned: string[] = [];
    for (const file of this.#files.values()) {
      rules += file.rules;
      if (file.warnings.length > 0) warned.push(file.name);
    }
    const warnings: RuleFileProblem[] = [];
    // In the order in which they are listed and read.
    for (const name of warned.sort()) {
      warnings.push(...(this.#files.get(name)?.warnings ?? []));
      if (warnings.length >= PROBLEMS_MAX) break;
    }
    return {
      files: this.#files.size,
      rules,
      ...(warnings.length > 0 && { warnings: warnings.slice(0, PROBLEMS_MAX) }),
    };
  }
}
