import { SECOND_MS, withoutSecrets } from '../../common/index.js';
import type { Actor, Happening } from '../../events/index.js';
import { isReadAnew } from '../condition/index.js';
import { PASSWORD_KEPT, readingOf, type StoredRule, writtenId } from '../vocabulary/index.js';
import { ruleOf } from './stored-rule.js';

/** What becomes of one rule, and by whom. */
export interface RuleChange {
  readonly before: StoredRule | null;
  /** Null: it is deleted. */
  readonly after: StoredRule | null;
  readonly by: Actor;
}

/**
 * What the log of events says of a change of a rule: what FirmwareStorage shows of it, without its password and the values in the query of
 * its `file`. That one of these is another all the same is said.
 */
export function ruleHappening({ before, after, by }: RuleChange): Happening {
  const shownBefore = before === null ? null : shown(before);
  const shownAfter = after === null ? null : shown(after);
  const { id = '', organization } = after ?? before ?? {};
  return {
    action: actionOf(before, after),
    subject: 'rule',
    subjectId: writtenId(id),
    ...(organization !== undefined && { organization }),
    by,
    before: shownBefore,
    after:
      before === null || after === null || shownAfter === null
        ? shownAfter
        : { ...shownAfter, ...secretsMoved(before, after, shownAfter) },
  };
}

function actionOf(before: StoredRule | null, after: StoredRule | null): string {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  return after.restarts === before.restarts ? 'changed' : 'restarted';
}

function shown(stored: StoredRule): Readonly<Record<string, unknown>> {
  const { suspended, restarts, sourceFile, sourceMissing, owner } = stored;
  // Of most rules there is nothing to say: they are read with patterns, or it makes no difference.
  const isAsBefore = owner === undefined && readingOf(stored) === 'equality' && isReadAnew(stored.condition);
  const rule = ruleOf(stored);
  return {
    ...rule,
    file: withoutSecrets('file', rule.file),
    ...(isAsBefore && { reading: 'equality' }),
    ...(suspended !== undefined && {
      suspended: { at: Math.floor(suspended.atMs / SECOND_MS), message: suspended.message },
    }),
    ...(restarts > 0 && { restarts }),
    ...(sourceFile !== undefined && { sourceFile }),
    ...(sourceMissing !== undefined && { sourceMissing }),
  };
}

/** Fields whose values are not shown and are others than before: else nothing of them would differ. */
function secretsMoved(
  before: StoredRule,
  after: StoredRule,
  shownAfter: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> {
  const hasOtherPassword =
    before.sealedPassword !== undefined &&
    after.sealedPassword !== undefined &&
    before.sealedPassword !== after.sealedPassword;
  const hasOtherValues =
    before.file !== after.file && withoutSecrets('file', before.file) === withoutSecrets('file', after.file);
  return {
    ...(hasOtherPassword && { password: `${PASSWORD_KEPT} (another)` }),
    ...(hasOtherValues && { file: `${String(shownAfter['file'])} (other values)` }),
  };
}
