import type { Laws } from './laws.js';

const BELOW_ACS = ['rules', 'firmware', 'organizations', 'events', 'store', 'common'];
const BELOW_CLI = ['nbi', 'rollout', 'acs', ...BELOW_ACS];

/** The arrows that Ferry may have; ARCHITECTURE.md draws them. */
export const HOUSE: Laws = {
  mayImport: {
    common: [],
    store: ['common'],
    events: ['store', 'common'],
    organizations: ['events', 'store', 'common'],
    rules: ['organizations', 'events', 'store', 'common'],
    firmware: ['organizations', 'events', 'store', 'common'],
    acs: BELOW_ACS,
    rollout: ['acs', ...BELOW_ACS],
    nbi: ['rollout', 'acs', ...BELOW_ACS],
    'cpe-sim': ['common'],
    client: [],
    cli: ['client', 'cpe-sim', ...BELOW_CLI],
    bench: ['cli', 'client', 'cpe-sim', ...BELOW_CLI],
  },
  ordered: {
    rules: [
      'vocabulary',
      'campaign',
      'condition',
      'validation',
      'storage',
      'owned',
      'files',
      'fleet',
      'windows',
      'authoring',
      'decision',
      'attention',
    ],
  },
  lookAnywhere: ['bench'],
  // The process that evaluates conditions loads no log and no store: it is to be there in a moment, and small.
  pastFaces: ['closure.ts', 'closure-functions.ts', 'parse.ts'].map((file) => ({
    from: `rules/condition/${file}`,
    to: 'common/linear-regexp.ts',
  })),
};
