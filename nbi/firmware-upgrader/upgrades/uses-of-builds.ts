import { BatchError, type Batches } from '../../../rollout/index.js';
import type { UpgradeUses } from '../uses.js';

/**
 * What upgrades make of builds: batches, which go with them, and with these their operations. The firmware of devices is gone with its image by
 * itself, and what was begun for one device alone stays, without its image.
 */
export function usesOfBuilds(batches: Pick<Batches, 'scan' | 'remove'>): UpgradeUses {
  return {
    async forget(going, by, turn) {
      if (going.kind !== 'build') return;
      for await (const { id } of batches.scan({ build: going.build.id }, turn)) {
        try {
          await batches.remove(id, by);
        } catch (error) {
          // Somebody else has removed it meanwhile.
          if (!(error instanceof BatchError && error.code === 'not-found')) throw error;
        }
      }
    },
  };
}
