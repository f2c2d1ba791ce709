import type { Device } from '../device/device.js';
import type { FaultStruct, ParameterFault } from '../soap/index.js';

/** So often a CPE is sent its settings in vain; then they give way to what the rules want. */
export const PROVISIONING_TRIES_MAX = 3;

/** Faults that say nothing of what was to be set: internal error, resources exceeded (TR-069 A.5.1). */
const PASSING_FAULTS: ReadonlySet<number> = new Set([9002, 9004]);

/**
 * One SetParameterValues, and what is tried after it. It lies with the session in the store, so it has names only: values are secrets.
 */
export interface ProvisioningAttempt {
  readonly names: readonly string[];
  /** To be set by themselves afterwards, whatever becomes of `names`. */
  readonly afterwards: readonly string[];
  /** Those that the CPE named as the culprits have been left out. */
  readonly narrowed: boolean;
  /** An attempt before this one, in the same session, has set something. */
  readonly isSet: boolean;
}

export type ProvisioningAnswer =
  | { readonly kind: 'set' }
  | {
      readonly kind: 'refused';
      readonly fault: FaultStruct;
      readonly parameterFaults: readonly ParameterFault[];
    }
  /** What came was no answer that can be read. */
  | { readonly kind: 'unreadable' };

/** Settings that are left as they are at the CPE, and why. */
export interface LeftOut extends FaultStruct {
  readonly names: readonly string[];
}

export interface PlanStep {
  /** Null: nothing more is tried in this session. */
  readonly next: ProvisioningAttempt | null;
  readonly left: readonly LeftOut[];
}

/** Everything at once, which is what most CPEs take. */
export function firstAttempt(names: readonly string[]): ProvisioningAttempt {
  return { names, afterwards: [], narrowed: false, isSet: false };
}

/**
 * What is tried after an answer. A CPE refuses all of a SetParameterValues for one value (TR-069 A.3.2.1), and mostly says for which: the
 * rest is set once more. Where it does not say, credentials are tried alone, then the periodic Inform. Five attempts at most.
 */
export function planAfter(attempt: ProvisioningAttempt, answer: ProvisioningAnswer): PlanStep {
  const { names, afterwards, narrowed } = attempt;
  const isSet = attempt.isSet || answer.kind === 'set';
  const onward =
    afterwards.length === 0 ? null : { names: afterwards, afterwards: [], narrowed: false, isSet };
  switch (answer.kind) {
    case 'set':
      return { next: onward, left: [] };
    case 'unreadable':
      // Whatever is wrong there is wrong with the next one too; what was set may have been taken.
      return { next: null, left: [] };
    case 'refused': {
      const culprits = narrowed ? [] : culpritsIn(names, answer);
      const rest = names.filter((name) => !culprits.some((culprit) => culprit.names.includes(name)));
      if (culprits.length > 0) {
        const next = rest.length === 0 ? onward : { names: rest, afterwards, narrowed: true, isSet };
        return { next, left: culprits };
      }
      const credentials = names.filter(isCredential);
      const others = names.filter((name) => !isCredential(name));
      if (credentials.length > 0 && others.length > 0)
        return { next: { names: credentials, afterwards: others, narrowed: false, isSet }, left: [] };
      return { next: onward, left: [{ names, ...answer.fault }] };
    }
    default:
      return answer satisfies never;
  }
}

/** User name and password go together: one without the other lets nobody in. */
function culpritsIn(
  names: readonly string[],
  { parameterFaults }: Extract<ProvisioningAnswer, { kind: 'refused' }>,
): LeftOut[] {
  const culprits: LeftOut[] = [];
  for (const { name, faultCode, faultString } of parameterFaults) {
    if (!names.includes(name) || culprits.some((culprit) => culprit.names.includes(name))) continue;
    const credential = credentialOf(name);
    const together =
      credential === null ? [name] : names.filter((other) => credentialOf(other) === credential);
    culprits.push({ names: together, faultCode, faultString });
  }
  return culprits;
}

/** Which user name and password a parameter is one of; null: of none. */
export function credentialOf(name: string): 'connection-request' | 'login' | null {
  if (/\.ConnectionRequest(Username|Password)$/.test(name)) return 'connection-request';
  return /\.ManagementServer\.(Username|Password)$/.test(name) ? 'login' : null;
}

function isCredential(name: string): boolean {
  return credentialOf(name) !== null;
}

type ProvisioningState = Pick<Device, 'provisioning' | 'provisioningTries' | 'provisioningFailures'>;

/** What an attempt's answer makes of the device; `due` where more is tried in this session, or in a later one. */
export function stateAfter(
  device: ProvisioningState,
  attempt: ProvisioningAttempt,
  answer: ProvisioningAnswer,
): ProvisioningState & { readonly next: ProvisioningAttempt | null } {
  const { next, left } = planAfter(attempt, answer);
  const failures = [...(device.provisioningFailures ?? []), ...left];
  const tries = device.provisioningTries ?? 0;
  const shown = failures.length > 0 && { provisioningFailures: failures };
  const due = { provisioning: 'due' as const, provisioningTries: tries, ...shown, next };
  if (next !== null) return due;
  const mayTryAgain = tries < PROVISIONING_TRIES_MAX;
  if (answer.kind === 'unreadable') return mayTryAgain ? due : { ...due, provisioning: 'failed' };
  if (failures.length === 0) return { provisioning: 'done', next };
  if (attempt.isSet || answer.kind === 'set') return { provisioning: 'partly', ...shown, next };
  if (mayTryAgain && failures.every(({ faultCode }) => PASSING_FAULTS.has(faultCode))) return due;
  return { provisioning: 'refused', ...shown, next };
}

/**
 * What an Inform makes of it. Where it failed a boot is worth one more try and another version a new beginning. A try that brings about
 * the boot that follows it, or the same events again, is none the less counted, so that such a CPE is served in between.
 */
export function stateOnInform(
  device: ProvisioningState,
  inform: { readonly bootstrap: boolean; readonly boot: boolean; readonly versionChanged: boolean },
): ProvisioningState {
  const { provisioning, provisioningTries = 0, provisioningFailures } = device;
  const shown = provisioningFailures !== undefined && { provisioningFailures };
  const tried = provisioningTries > 0 && { provisioningTries };
  const same = { provisioning, ...tried, ...shown };
  switch (provisioning) {
    case 'due':
      if (inform.versionChanged) return { provisioning: 'due' };
      if (provisioningTries < PROVISIONING_TRIES_MAX) return same;
      return { ...same, provisioning: 'failed' };
    case 'done':
      return { provisioning: inform.bootstrap ? 'due' : 'done' };
    case 'partly':
    case 'refused':
    case 'failed':
      if (inform.versionChanged) return { provisioning: 'due' };
      if (!inform.boot && !inform.bootstrap) return same;
      return { provisioning: 'due', provisioningTries: PROVISIONING_TRIES_MAX - 1, ...shown };
    default:
      return provisioning satisfies never;
  }
}
