import { serialOf } from './envelopes.js';

/** A CPE as the benchmark's Informs name it. */
export function cpeidOf(index: number): string {
  return `00A1B2-HGW-${serialOf(index)}`;
}

/**
 * A rule for one CPE; every second one in the string form.
 * @param softwareVersion  its target
 */
export function pinnedRule(index: number, softwareVersion: string): object {
  const cpeid = cpeidOf(index);
  return {
    id: `PIN_${cpeid}`,
    file: 'bench.bin',
    condition: index % 2 === 0 ? { cpeid } : `cpeid = "${cpeid}"`,
    target: { softwareVersion },
  };
}

const CLASSES = 100;
const REVISIONS = 10;

/** What a CPE must be for the fleet rule of this index. */
export function modelOf(index: number): {
  readonly productClass: string;
  readonly hardwareVersion: string;
  readonly softwareVersion: string;
} {
  return {
    productClass: `HGW-${index % CLASSES}`,
    hardwareVersion: `rev${Math.floor(index / CLASSES) % REVISIONS}`,
    softwareVersion: `1.${Math.floor(index / (CLASSES * REVISIONS))}.0`,
  };
}

/** A rule for one model at one version: three conjuncts. Every second one in the string form. */
export function fleetRule(index: number): { readonly id: string; readonly condition: unknown } {
  const model = modelOf(index);
  const text = Object.entries(model).map(([field, value]) => `${field} = "${value}"`);
  const rule = { id: `FLEET_${index}`, file: 'bench.bin', target: { softwareVersion: '9.0.0' } };
  return { ...rule, condition: index % 2 === 0 ? model : text.join(' and ') };
}
