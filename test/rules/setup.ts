import type { CpeId } from '../../common/index.js';
import type { DecisionInput } from '../../rules/index.js';

export const CPE = '00A1B2-HGW-1' as CpeId;
/** 2026-01-31 02:30 in UTC, a Saturday. */
export const NOW_MS = Date.UTC(2026, 0, 31, 2, 30);

/** A CPE as a session would describe it. */
export function contextOf(over: Partial<DecisionInput['context']> = {}): DecisionInput['context'] {
  return {
    cpeid: CPE,
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: '1',
    manufacturer: 'Acme',
    softwareVersion: '1.0.0',
    events: ['2 PERIODIC'],
    tags: [],
    ip: '192.0.2.1',
    lastInform: NOW_MS,
    registered: NOW_MS,
    now: NOW_MS,
    ...over,
  };
}
