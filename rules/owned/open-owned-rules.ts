import type { Clock } from '../../common/index.js';
import { type Change, COMMIT_CHANGES_MAX, type Stored } from '../../store/index.js';
import {
  commitWrites,
  gateIdOf,
  ofOrganization,
  type RestartsDocument,
  readMany,
  restartsCounted,
  type Sealing,
  type Tables,
  toStored,
  type Write,
  withoutPath,
} from '../storage/index.js';
import type { LocatedProblem, RuleValidator, ValidRule } from '../validation/index.js';
import { InvalidRuleError, mapWithPauses, ruleIdIn, type StoredRule } from '../vocabulary/index.js';
import {
  OWNED_RULES_PER_COMMIT_MAX,
  type OwnedOutcome,
  type OwnedRule,
  type OwnedRules,
} from './owned-rules.js';

/** Changes of a commit that are left for the rules' own: those of each, and the generation with its notes. */
const ALONG_CHANGES_MAX = COMMIT_CHANGES_MAX - 3 * OWNED_RULES_PER_COMMIT_MAX - 200;

export function openOwnedRules(parts: {
  readonly tables: Tables;
  readonly validator: RuleValidator;
  readonly sealing: Sealing;
  readonly clock: Clock;
}): OwnedRules {
  const { tables, validator, sealing, clock } = parts;
  return {
    async put(rules, { owner, author, organization, anew, along }) {
      refuseTooMany(rules, along);
      const valid = await mapWithPauses(rules, (rule, item) => checked(validator, rule, item, organization));
      const restarted = await readMany(
        tables.restarts,
        valid.map(({ rule }) => rule.id),
      );
      const nowMs = clock();
      const writes = await mapWithPauses(valid, (each, index): Write => {
        const restarts = restarted[index] ?? null;
        const count = (restarts?.document.restarts ?? 0) + (anew === true ? 1 : 0);
        const after = toStored(each, null, { author, restarts: count, nowMs, sealing, owner });
        return anew === true
          ? { before: null, after, by: null, also: restartsCounted(tables, after, restarts) }
          : { before: null, after, by: null, restarts };
      });
      return committed(tables, writes, along);
    },
    async some(owner, organization) {
      const prefix = ruleIdIn(organization, `${gateIdOf(owner)}:`);
      const { items } = await tables.rules.find({ prefix, limit: OWNED_RULES_PER_COMMIT_MAX });
      return items.map(({ document }) => document.id);
    },
    async withdraw(ids, along) {
      refuseTooMany(ids, along);
      const found = await readMany(tables.rules, [...new Set(ids)]);
      const writes = found.flatMap((before): Write[] =>
        before === null ? [] : [{ before, after: null, by: null }],
      );
      return committed(tables, writes, along);
    },
    async again(ids, along) {
      refuseTooMany(ids, along);
      const distinct = [...new Set(ids)];
      const [found, counted] = await Promise.all([
        readMany(tables.rules, distinct),
        readMany(tables.restarts, distinct),
      ]);
      const nowMs = clock();
      const writes: Write[] = [];
      for (const [index, before] of found.entries()) {
        if (before === null) return { committed: false, refused: null };
        writes.push(restarting(tables, before, counted[index] ?? null, nowMs));
      }
      return committed(tables, writes, along);
    },
  };
}

function refuseTooMany(rules: readonly unknown[], along: readonly Change[]): void {
  if (rules.length <= OWNED_RULES_PER_COMMIT_MAX && along.length <= ALONG_CHANGES_MAX) return;
  throw new RangeError(
    `A commit takes at most ${OWNED_RULES_PER_COMMIT_MAX} rules and ${ALONG_CHANGES_MAX} changes along with them, and these are ${rules.length} and ${along.length}`,
  );
}

/** What nobody wrote is held to all that an author's rule is held to, but that ids as it has are kept for such. */
function checked(
  validator: RuleValidator,
  { whom, ...rest }: OwnedRule,
  item: number,
  organization: string | undefined,
): ValidRule {
  const condition = 'cpeid' in whom ? { cpeid: whom.cpeid } : whom.condition;
  const validation = ofOrganization(validator.validate({ ...rest, condition }), organization);
  if (!validation.valid) throw invalid(validation.problems, item);
  const refusals = validation.value.refusals.filter(({ path: [field] }) => field !== 'id');
  if (refusals.length > 0) throw invalid(refusals, item);
  // The CPE that its owner names by its cpeid is that one, whatever others call themselves.
  return 'cpeid' in whom
    ? { ...validation.value, pin: whom.cpeid, name: null, isReadAnew: false }
    : validation.value;
}

function invalid(problems: readonly LocatedProblem[], item: number): InvalidRuleError {
  return new InvalidRuleError(problems.map((problem) => ({ ...withoutPath(problem), item })));
}

/** As RestartRule has it, so that what is counted from then on is counted anew. */
function restarting(
  tables: Tables,
  before: Stored<StoredRule>,
  counted: Stored<RestartsDocument> | null,
  nowMs: number,
): Write {
  const restarts = (counted?.document.restarts ?? 0) + 1;
  const after: StoredRule = { ...before.document, restarts, updatedAtMs: nowMs };
  return { before, after, by: null, also: restartsCounted(tables, after, counted) };
}

async function committed(
  tables: Tables,
  writes: readonly Write[],
  along: readonly Change[],
): Promise<OwnedOutcome> {
  const outcome = await commitWrites(tables, writes, along);
  if (outcome.committed) return { committed: true };
  return { committed: false, refused: along.includes(outcome.refused) ? outcome.refused : null };
}
