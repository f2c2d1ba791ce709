import type { Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Build, Image } from '../../firmware/index.js';

/** What is about to be deleted. */
export type Going =
  | { readonly kind: 'build'; readonly build: Build }
  | { readonly kind: 'image'; readonly build: Build; readonly image: Image };

/** What upgrades make of builds and images, which goes with them. */
export interface UpgradeUses {
  /** Called before it is deleted, and again where that was cut off. What runs goes on, and is told of without its image. */
  forget(going: Going, by: Actor, turn: Turn): Promise<void>;
}
