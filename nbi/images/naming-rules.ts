import type { Turn } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import { rulesMeaning } from '../../rollout/index.js';
import { type Rules, type StoredRule, writtenId } from '../../rules/index.js';
import { ApiError, type Problem, type Scope } from '../http/index.js';

/**
 * Refuses where enabled rules mean one of these images by their `file`, which may be its URL: of an organization its own rules; a shared
 * image is meant also by those of organizations without one of that name.
 * @param removed  of one owner
 * @param remedy  beside disabling the rules
 * @throws ApiError 409
 */
export async function requireUnnamed(
  removed: readonly Pick<Image, 'name' | 'organization'>[],
  { rules, images }: { readonly rules: Rules; readonly images: Pick<ImageLibrary, 'get'> },
  { scope, turn, remedy }: { readonly scope: Scope; readonly turn: Turn; readonly remedy: string },
): Promise<void> {
  const naming = await rulesMeaning(removed, { rules, images }, turn);
  if (naming.length > 0) throw inUse(naming, scope, remedy);
}

/** A problem for each whose rules they are: ids are unique only within an organization. */
function inUse(
  naming: readonly StoredRule[],
  { organization, organizations }: Scope,
  remedy: string,
): ApiError {
  const owners = new Set(naming.map((rule) => rule.organization));
  const problems = [...owners].map((owner): Problem => {
    const isNamed = owner !== undefined && organization === null;
    const whose = isNamed ? `rule of ${organizations.labelOf(owner)}` : 'rule';
    return {
      field: 'name',
      code: 'in-use',
      expected: `an image that no enabled ${whose} names: disable these rules${remedy}`,
      ids: naming.filter((rule) => rule.organization === owner).map(({ id }) => writtenId(id)),
    };
  });
  return new ApiError(409, problems);
}
