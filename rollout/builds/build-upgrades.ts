import { cutText, type Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Build } from '../../firmware/index.js';
import { BATCH_NAME_CHARACTERS_MAX, type Batch, type Batches, type BatchThrough } from '../batches/index.js';
import type { BuildWalk } from './build-walk.js';
import type { BuildPlan, BuildUpgrades, Within } from './device-firmware.js';

/** Batches of builds: who is looked at comes from the same walk as who is told of before. */
export class WalkedBuildUpgrades implements BuildUpgrades {
  readonly #parts: { readonly walk: BuildWalk; readonly batches: Pick<Batches, 'create'> };

  constructor(parts: { readonly walk: BuildWalk; readonly batches: Pick<Batches, 'create'> }) {
    this.#parts = parts;
  }

  plan(build: Build, within: Within, turn?: Turn): BuildPlan {
    return this.#parts.walk.plan(build, within, turn);
  }

  async start(
    build: Build,
    options: {
      readonly firmwareless: boolean;
      readonly by: Actor;
      readonly within: Within;
      readonly persistent: boolean;
      readonly evenEmpty?: boolean;
      readonly through?: BatchThrough;
    },
    turn?: Turn,
  ): Promise<Batch | null> {
    const { firmwareless, by, within, persistent, evenEmpty = false, through } = options;
    if (!evenEmpty && !(await this.#hasAny(build, firmwareless, within, turn))) return null;
    const organization = build.organization ?? within;
    return this.#parts.batches.create(
      {
        name: cutText(`Build ${build.version}`, BATCH_NAME_CHARACTERS_MAX),
        what: { build: build.id },
        whom: { kind: 'build', firmwareless },
        persistent,
        ...(through !== undefined && { through }),
        ...(organization !== null && { organization }),
      },
      by,
    );
  }

  async #hasAny(build: Build, firmwareless: boolean, within: Within, turn?: Turn): Promise<boolean> {
    for await (const { kind } of this.#parts.walk.walk(build, within, turn))
      if (firmwareless || kind === 'firmware') return true;
    return false;
  }
}
