import type { CpeId, RuleId } from '../../common/index.js';
import type { OpenRule } from '../../rules/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';

export const WAKE_PROGRESS: CollectionDefinition = { name: 'wake-progress', indexes: {} };

/** How far the waking for one rule has come; stored, so that whoever takes over goes on from there. */
export interface WakeProgress extends Document {
  readonly id: RuleId;
  /** Which edit of the rule this is for. */
  readonly edition: string;
  /** When the window opened that it is for; absent in what an older version wrote. */
  readonly openedAtMs?: number;
  readonly begunAtMs: number;
  readonly savedAtMs: number;
  readonly pass: number;
  readonly passBegunAtMs: number;
  /** The last CPE looked at in this pass; null at its beginning. */
  readonly after: CpeId | null;
}

export function editionOf({ rule }: OpenRule): string {
  return `${rule.updatedAtMs}.${rule.restarts}`;
}
