import type { ConditionCompiler } from '../condition/index.js';
import { type Candidate, candidateOf, type Fleet, type FleetRules, inOrder } from '../fleet/index.js';
import { pinnedAt, type Tables } from '../storage/index.js';
import {
  type DecisionInput,
  isLikeCpeId,
  namePinIn,
  ownedPinIn,
  pinIn,
  type StoredRule,
} from '../vocabulary/index.js';

/** What tells whose pinned rules are wanted. */
export type Pinned = Pick<DecisionInput, 'organization'> & {
  readonly context: Pick<DecisionInput['context'], 'cpeid' | 'serialNumber'>;
  /** Tells those that are not wanted; none unless told. */
  readonly isDone?: (rule: StoredRule) => boolean;
};

interface Means {
  readonly tables: Tables;
  readonly compiler: ConditionCompiler;
  readonly fleet: Fleet;
}

/** The rules pinned to a CPE, the installation's and those of its organization, in order. */
export async function candidatesPinnedTo(decider: Means, about: Pinned): Promise<readonly Candidate[]> {
  return (await pinnedBeside(decider, about, decider.fleet.current())).pinned;
}

/** The same, while it is asked which fleet rules there are. */
export async function pinnedBeside(
  decider: Means,
  about: Pinned,
  asking: Promise<FleetRules>,
): Promise<{ readonly pinned: readonly Candidate[]; readonly rules: FleetRules }> {
  const known = pinsLookedUp(about, decider.fleet.last());
  const [first, rules] = await Promise.all([candidatesAt(decider, about, known), asking]);
  // By now there may be those that there were none of.
  const more = pinsLookedUp(about, rules).filter((pin) => !known.includes(pin));
  const pinned = more.length === 0 ? first : [...first, ...(await candidatesAt(decider, about, more))];
  return { pinned: [...pinned].sort(inOrder), rules };
}

/** Most installations have no rules of organizations, of batches and by serial numbers, and no session is to look for them in vain. */
function pinsLookedUp({ context, organization }: Pinned, rules: FleetRules): readonly string[] {
  const { cpeid } = context;
  const pins = new Set([pinIn(undefined, cpeid)]);
  if (rules.pinsOwned(undefined)) pins.add(ownedPinIn(undefined, cpeid));
  for (const pin of namePins(context, undefined, rules)) pins.add(pin);
  if (organization === undefined) return [...pins];
  if (rules.pinsOf(organization)) pins.add(pinIn(organization, cpeid));
  if (rules.pinsOwned(organization)) pins.add(ownedPinIn(organization, cpeid));
  for (const pin of namePins(context, organization, rules)) pins.add(pin);
  return [...pins];
}

/** Under what those of one owner stand that name the CPE by what may be its serial number. */
function namePins(
  { cpeid, serialNumber }: Pinned['context'],
  owner: string | undefined,
  rules: FleetRules,
): readonly string[] {
  return [cpeid, serialNumber]
    .filter((name) =>
      isLikeCpeId(name) ? owner === undefined || rules.pinsOf(owner) : rules.pinsNamed(owner),
    )
    .map((name) => namePinIn(owner, name));
}

async function candidatesAt(
  { tables, compiler }: Means,
  { isDone = () => false }: Pinned,
  pins: readonly string[],
): Promise<readonly Candidate[]> {
  const found = await Promise.all(pins.map((pin) => pinnedAt(tables, pin)));
  return found
    .flat()
    .filter(({ document }) => !isDone(document))
    .map(({ document, revision }) => candidateOf(document, revision, compiler));
}
