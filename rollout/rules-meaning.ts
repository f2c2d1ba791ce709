import type { Turn } from '../common/index.js';
import { type Image, type ImageLibrary, imageNameIn } from '../firmware/index.js';
import type { Rules, StoredRule } from '../rules/index.js';

/** Of the rules that keep an image from going nobody wants to read more. */
const MEANING_MAX = 10;

/**
 * The first {@link MEANING_MAX} enabled rules that mean one of these images by their `file`, which may be its URL: of an organization its own
 * rules; a shared image is meant also by those of organizations without one of that name.
 * @param removed  of one owner
 * @param turn  when each page of rules is read
 */
export async function rulesMeaning(
  removed: readonly Pick<Image, 'name' | 'organization'>[],
  { rules, images }: { readonly rules: Pick<Rules, 'scan'>; readonly images: Pick<ImageLibrary, 'get'> },
  turn?: Turn,
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
    if (found.length >= MEANING_MAX) break;
  }
  return found;

  async function meansOne(owner: string | undefined, name: string): Promise<boolean> {
    if (going.has(keyOf(owner, name))) return true;
    return going.has(keyOf(undefined, name)) && (await images.get(name, owner))?.organization === undefined;
  }
}
