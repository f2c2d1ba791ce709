import type { Turn } from '../../common/index.js';
import { type Image, type ImageLibrary, imageNameIn } from '../../firmware/index.js';
import { type Rules, type StoredRule, writtenId } from '../../rules/index.js';
import { ApiError, type Problem, type Scope } from '../http/index.js';

const NAMING_RULES_SHOWN_MAX = 10;

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

async function rulesMeaning(
  removed: readonly Pick<Image, 'name' | 'organization'>[],
  { rules, images }: { readonly rules: Rules; readonly images: Pick<ImageLibrary, 'get'> },
  turn: Turn,
): Promise<readonly StoredRule[]> {
  const [first] = removed;
  if (first === undefined) return [];
  const found: StoredRule[] = [];
  const keyOf = (organization: string | undefined, name: string) => `${organization ?? ''}/${name}`;
  const going = new Set(removed.map(({ organization, name }) => keyOf(organization, name)));
  const meaning = new Map<string, boolean>();
  // All of them belong to one owner.
  const { organization } = first;
  const owned = organization === undefined ? {} : { organization };
  const names = new Set(removed.map(({ name }) => name));
  for await (const rule of rules.scan(owned, turn)) {
    if (!rule.enabled) continue;
    const name = imageNameIn(rule.file);
    if (!names.has(name)) continue;
    const key = keyOf(rule.organization, name);
    const means = meaning.get(key) ?? (await meansOne(rule.organization, name));
    meaning.set(key, means);
    if (means) found.push(rule);
    if (found.length >= NAMING_RULES_SHOWN_MAX) break;
  }
  return found;

  async function meansOne(owner: string | undefined, name: string): Promise<boolean> {
    if (going.has(keyOf(owner, name))) return true;
    return going.has(keyOf(undefined, name)) && (await images.get(name, owner))?.organization === undefined;
  }
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
