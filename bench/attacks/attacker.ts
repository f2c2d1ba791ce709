import { setPriority } from 'node:os';
import process from 'node:process';
import { Tally, type Target } from './attack.js';
import { EVERY_ATTACK } from './catalogue.js';

/**
 * Whoever attacks, in a process of its own: `attacker.js NAME`. Where it has to share a core with the CPEs it has less weight than they,
 * so that what they lose is lost at the server and not here.
 */
export type AttackerOrder =
  | { readonly kind: 'prepare' | 'begin'; readonly target: Target }
  | { readonly kind: 'tell' };

/** What came of what was sent so far, and what it cost whoever sent it. */
export interface AttackerTold {
  readonly tally: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
}

const WEIGHT_LESS = 10;

const attack = EVERY_ATTACK.find(({ name }) => name === process.argv[2]);
if (attack === undefined) throw new Error(`There is no attack "${process.argv[2]}"`);
setPriority(WEIGHT_LESS);
const tally = new Tally();

process.on('message', async (order: AttackerOrder) => {
  switch (order.kind) {
    case 'prepare':
      await attack.prepare?.(order.target);
      break;
    case 'begin':
      attack.begin(order.target, tally);
      break;
    case 'tell':
      break;
    default:
      return order satisfies never;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({ tally: tally.counts, cpuSeconds: (user + system) / 1e6 } satisfies AttackerTold);
});
process.on('disconnect', () => process.exit(0));
