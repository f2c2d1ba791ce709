import { inTurns } from '../../common/index.js';
import { PROBLEMS_MAX } from '../validation/index.js';
import type { Applying, FileBody, FileRuleProblem, FileRules } from './file-rules.js';
import { parsingRuleFile, type RuleFileEntry, type RuleFileProblem } from './rule-file.js';
import type { DigestedFile } from './seen-files.js';

/** What became of files that were to be applied. */
export type Applied =
  /** What each of them came to, in the order in which they were handed in. */
  | { readonly kind: 'applied'; readonly files: readonly AppliedFile[] }
  /** Nothing of any was applied. */
  | { readonly kind: 'broken'; readonly problems: readonly RuleFileProblem[] }
  /** Nothing yet: these files, unchanged as they are, are to be handed in, too. */
  | { readonly kind: 'entangled'; readonly files: readonly string[] };

/** A file of which the store has all rules. */
export interface AppliedFile {
  readonly name: string;
  readonly digest: string;
  readonly rules: number;
  /** The first {@link PROBLEMS_MAX}. */
  readonly warnings: readonly RuleFileProblem[];
}

interface LocatedEntry {
  readonly file: string;
  readonly entry: RuleFileEntry;
}

/** Takes rule files apart and makes the rules of the store what they say; everything else has its turn in between. */
export async function applyRuleFiles(
  rules: FileRules,
  files: readonly DigestedFile[],
  applying: Applying,
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
  await inTurns(parsing(), applying.turn);
  if (problems.length > 0) return { kind: 'broken', problems: problems.slice(0, PROBLEMS_MAX) };
  const outcome = await rules.applyFiles(bodies, applying);
  switch (outcome.kind) {
    case 'entangled':
      return outcome;
    case 'refused': {
      const told = outcome.problems.slice(0, PROBLEMS_MAX);
      return { kind: 'broken', problems: await inTurns(locating(entries, told), applying.turn) };
    }
    case 'applied': {
      const warnings = await inTurns(locating(entries, outcome.warnings), applying.turn);
      return { kind: 'applied', files: summed(files, bodies, warnings) };
    }
    default:
      return outcome satisfies never;
  }
}

function* locating(
  entries: readonly LocatedEntry[],
  problems: readonly FileRuleProblem[],
): Generator<void, readonly RuleFileProblem[]> {
  const located: RuleFileProblem[] = [];
  for (const { entry: index, path, ...problem } of problems) {
    const found = entries[index];
    if (found === undefined) continue;
    const { file, entry } = found;
    const item = entry.item === null ? {} : { item: entry.item };
    located.push({ ...problem, file, ...item, ...entry.locate(path) });
    yield;
  }
  return located;
}

function summed(
  files: readonly DigestedFile[],
  bodies: readonly FileBody[],
  warnings: readonly RuleFileProblem[],
): readonly AppliedFile[] {
  const rulesOf = new Map<string, number>();
  for (const { file } of bodies) rulesOf.set(file, (rulesOf.get(file) ?? 0) + 1);
  const warningsOf = new Map<string, RuleFileProblem[]>();
  for (const warning of warnings) {
    const some = warningsOf.get(warning.file);
    if (some === undefined) warningsOf.set(warning.file, [warning]);
    else if (some.length < PROBLEMS_MAX) some.push(warning);
  }
  return files.map(({ name, digest }) => ({
    name,
    digest,
    rules: rulesOf.get(name) ?? 0,
    warnings: warningsOf.get(name) ?? [],
  }));
}
