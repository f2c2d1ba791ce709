import type { Candidate } from '../fleet/index.js';
import type { SharedSerial } from '../storage/index.js';
import type { ConjunctFinding, DecisionInput, NamesakesOf, Verdict } from '../vocabulary/index.js';
import type { Refusal } from './gates.js';

/** What serial numbers are looked up with. */
export interface SerialNumberMeans {
  readonly namesakesOf: NamesakesOf;
  /** Told of each rule that comes to nothing, as several CPEs go by a serial number that it names. */
  readonly onSharedSerial: (shared: SharedSerial) => void;
}

/**
 * Asked once a condition holds. A serial number stands for a CPE only where no other of the organization whose rule it is, of the
 * installation's where it is nobody's, goes by it: whoever wrote it meant one of them, and nobody knows which.
 */
export async function serialNumberGate(
  { namesakesOf, onSharedSerial }: SerialNumberMeans,
  { rule, condition }: Pick<Candidate, 'rule' | 'condition'>,
  { context, isDescribed }: Pick<DecisionInput, 'context' | 'isDescribed'>,
): Promise<Refusal | null> {
  if (isDescribed === true || typeof condition === 'string' || !condition.isBySerialNumber(context))
    return null;
  const { cpeid, serialNumber } = context;
  const { organization } = rule;
  const others = await namesakesOf({
    cpeid,
    serialNumber,
    ...(organization !== undefined && { organization }),
  });
  if (others.length === 0) return null;
  onSharedSerial({ rule, serialNumber, cpeids: [cpeid, ...others] });
  const told = others.join(', ');
  return {
    verdict: 'ambiguous-serial',
    detail: `${serialNumber} stands for ${told} too; name it by its cpeid`,
  };
}

/** What is told of the conjuncts of a condition in object form, where its `cpeid` names several CPEs: by itself that would be true. */
export function withoutNamesake(
  findings: readonly ConjunctFinding[],
  verdict: Verdict,
  message: string | undefined,
): readonly ConjunctFinding[] {
  if (verdict !== 'ambiguous-serial') return findings;
  return findings.map((finding) =>
    finding.text.startsWith('cpeid: ')
      ? { ...finding, outcome: 'false', ...(message !== undefined && { message }) }
      : finding,
  );
}
