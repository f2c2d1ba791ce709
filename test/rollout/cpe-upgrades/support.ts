import type { ExecutionContext } from 'ava';
import type { CpeId } from '../../../common/index.js';
import { type CpeUpgrade, type CpeUpgrades, openCpeUpgrades } from '../../../rollout/index.js';
import { openTestBatches } from '../batches/support.js';

/** The upgrades of single CPEs on a real store, with batches, rules and sessions that are begun by hand. */
export async function openTestCpeUpgrades(t: ExecutionContext) {
  const at = await openTestBatches(t);
  const { store, devices, upgrades, operations, batches, rules, library } = at;
  const clock = () => at.clock.nowMs;
  const cpeUpgrades = openCpeUpgrades({
    store,
    clock,
    devices,
    upgrades,
    operations,
    batches,
    rules,
    images: library,
  });
  return { ...at, cpeUpgrades };
}

/** Where a CPE is, in a word for each: `waiting through sc-cloud`, or null. */
export async function told(cpeUpgrades: CpeUpgrades, cpeid: CpeId) {
  const { waiting, running, ended } = await cpeUpgrades.now(cpeid);
  return { waiting: inWords(waiting), running: inWords(running), ended: inWords(ended) };
}

function inWords(upgrade: CpeUpgrade | null): string | null {
  if (upgrade === null) return null;
  const { stage, through, failure } = upgrade;
  const by = through === null ? '' : ` through ${through}`;
  return `${stage}${by}${failure === null ? '' : `: ${failure.reason}`}`;
}
