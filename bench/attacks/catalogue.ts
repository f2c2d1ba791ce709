import type { Attack } from './attack.js';
import { BODIES } from './kinds/bodies.js';
import { CONNECTIONS } from './kinds/connections.js';
import { DATA_MODEL } from './kinds/data-model.js';
import { GUESSES } from './kinds/guesses.js';
import { LISTS } from './kinds/lists.js';
import { PIPELINING } from './kinds/pipelining.js';
import { RULE_FILES } from './kinds/rule-files.js';
import { SIBLINGS } from './kinds/siblings.js';
import { TARPITS } from './kinds/tarpits.js';

const FOUND: readonly Attack[] = [
  ...PIPELINING,
  ...BODIES,
  ...LISTS,
  ...GUESSES,
  ...DATA_MODEL,
  ...CONNECTIONS,
  ...RULE_FILES,
];

/** All at once, in one process and so on one core, but for those that are the same with fewer descriptors, or more than the review tried. */
const TOGETHER: readonly Attack[] = FOUND.filter(({ name }) => !/-[0-9]+$/.test(name));

const ALL: Attack = {
  name: 'together',
  describe: `${TOGETHER.map(({ name }) => name).join(', ')} at once`,
  server: { hasRuleFiles: true },
  logsIn: true,
  async prepare(target) {
    for (const attack of TOGETHER) await attack.prepare?.(target);
  },
  begin(target, tally) {
    for (const attack of TOGETHER) attack.begin(target, tally);
  },
};

/** What is measured where nobody says which. */
export const ATTACKS: readonly Attack[] = [...FOUND, ALL];

/** With those that the review did not try. */
export const EVERY_ATTACK: readonly Attack[] = [...ATTACKS, ...SIBLINGS, ...TARPITS];
