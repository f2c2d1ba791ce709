import type { CountKey, RuleId } from '../../common/index.js';
import { countKeyOf } from '../campaign/index.js';
import { type DecisionInput, isDecidedImage, type Repeat } from '../vocabulary/index.js';
import { fitOf, withBoard } from './board.js';
import { type Decider, readingOnce, windowGate } from './decide.js';
import { organizationGate, switchGate, timeGate } from './gates.js';
import { ownerGate } from './owner-gate.js';
import { signingFor } from './signed.js';

/** See {@link Rules.mayRepeat}. */
export async function mayRepeat(
  decider: Decider,
  upgrade: { readonly campaignid: RuleId; readonly countKey: CountKey; readonly imageSha256?: string },
  nowMs: number,
  cpe: Pick<DecisionInput, 'context' | 'organization' | 'readParameters'>,
): Promise<Repeat> {
  const { organization } = cpe;
  const stored = await decider.tables.rules.get(upgrade.campaignid);
  if (stored === null) return { kind: 'void', reason: 'the rule has been deleted' };
  const { document: rule, revision } = stored;
  if (organizationGate(rule, organization) !== null)
    return { kind: 'void', reason: 'the CPE belongs to another organization now than the rule' };
  if (countKeyOf(rule) !== upgrade.countKey) {
    return { kind: 'void', reason: 'the rule has another file or target now, or was restarted' };
  }
  const owner = await ownerGate(decider.tables, rule);
  if ('verdict' in owner) return { kind: 'void', reason: `its ${rule.owner?.kind ?? 'owner'} was cancelled` };
  const time = timeGate(rule, nowMs);
  // What has arrived goes on after its time; what has not would begin after it.
  if (time?.verdict === 'too-late') return { kind: 'void', reason: 'the rule has ended (notAfter)' };
  if (rule.onDoubt === 'fail') return { kind: 'unwanted' };
  // Whoever asked for the session in which it was decided need not ask for this one as well.
  const refusal = switchGate(rule, true) ?? time ?? windowGate(decider, rule, nowMs);
  if (refusal !== null) return { kind: 'held', reason: refusal.verdict };
  const image = await decider.resolveFile(rule.file, rule.organization);
  if (image === null) return { kind: 'held', reason: 'image-missing' };
  if (!isDecidedImage(upgrade, image)) return { kind: 'void', reason: 'its file is another image now' };
  // What is not known now of its board was known when it was decided; it is asked for again then.
  const reading = readingOnce({ ...cpe, unread: async () => [] }, withBoard(decider.board, []));
  if ((await fitOf(decider.board, image, reading)) !== null)
    return { kind: 'held', reason: 'image-does-not-fit' };
  const signing = await signingFor(decider.signatures, rule);
  if ('verdict' in signing) return { kind: 'held', reason: signing.verdict };
  // Last, as in a decision; the commit refuses if the brake is pulled after this.
  const brake = await decider.freeze.read(organization);
  if (brake.state.frozen) return { kind: 'held', reason: 'frozen' };
  const conditions = [
    decider.tables.rules.requiring(rule.id, revision),
    ...owner.unchanged,
    ...brake.unchanged,
    ...signing.unchanged,
  ];
  return { kind: 'allowed', rule, conditions };
}
