import { withPauses } from '../../common/index.js';
import type { Lease } from '../../store/index.js';
import { PROBLEMS_MAX } from '../validation/index.js';
import type { FileBody, FileRuleProblem, FileRules } from './file-rules.js';
import type { RuleFileContent } from './rule-directory.js';
import { parsingRuleFile, type RuleFileEntry, type RuleFileProblem } from './rule-file.js';

/** What became of files that were to be applied: nothing of them was where there are problems. */
export interface Applied {
  readonly problems: readonly RuleFileProblem[];
  readonly warnings: readonly RuleFileProblem[];
  readonly rules: number;
}

interface LocatedEntry {
  readonly file: string;
  readonly entry: RuleFileEntry;
}

/**
 * Takes rule files apart and makes the rules of the store what they say; everything else has its turn in between.
 * @param renewed  see {@link FileRules.applyFiles}
 */
export async function applyRuleFiles(
  rules: FileRules,
  files: readonly RuleFileContent[],
  renewed: () => Promise<Lease | null>,
): Promise<Applied> {
  const problems: RuleFileProblem[] = [];
  const entries: LocatedEntry[] = [];
  const bodies: FileBody[] = [];
  // One stretch of work for all: ten thousand small files are as much as a large one.
  const parsing = function* (): Generator<void, void> {
    for (const { name, bytes } of files) {
      const parsed = yield* parsingRuleFile(name, bytes);
      yield;
      if (!parsed.parsed) {
        problems.push(...parsed.problems);
        continue;
      }
      for (const entry of parsed.entries) {
        entries.push({ file: name, entry });
        bodies.push({ file: name, body: entry.body });
      }
    }
  };
  await withPauses(parsing());
  if (problems.length > 0) return { problems: problems.slice(0, PROBLEMS_MAX), warnings: [], rules: 0 };
  const outcome = await rules.applyFiles(bodies, renewed);
  const told = outcome.applied ? outcome.warnings : outcome.problems;
  const located = told.slice(0, PROBLEMS_MAX).flatMap(locatedIn(entries));
  return outcome.applied
    ? { problems: [], warnings: located, rules: bodies.length }
    : { problems: located, warnings: [], rules: 0 };
}

function locatedIn(entries: readonly LocatedEntry[]): (problem: FileRuleProblem) => RuleFileProblem[] {
  return ({ entry: index, path, ...problem }) => {
    const found = entries[index];
    if (found === undefined) return [];
    const { file, entry } = found;
    const item = entry.item === null ? {} : { item: entry.item };
    return [{ ...problem, file, ...item, ...entry.locate(path) }];
  };
}
