import { type Build, type Builds, SHARED } from '../builds/index.js';

/** What is held of a build while it is decided what goes: there may be many, and the rest of each is long. */
export interface HeldBuild extends Pick<Build, 'id' | 'category' | 'version'> {
  readonly imageCount: number;
}

/** All builds of an owner, from the oldest. @param organization  absent: the shared ones. @throws StoreError */
export async function buildsOwnedBy(
  builds: Builds,
  organization: string | undefined,
): Promise<readonly HeldBuild[]> {
  const found: HeldBuild[] = [];
  const owned = builds.scan({ within: organization ?? SHARED, isOwnOnly: true });
  for await (const { id, category, version, images } of owned)
    found.push({ id, category, version, imageCount: images.length });
  return found;
}

/** The ids of the newest of each category that have images: one without is still to come. @param builds  from the oldest */
export function newestBuilds(builds: readonly HeldBuild[], count: number): ReadonlySet<string> {
  const newest = new Set<string>();
  const counts = new Map<string, number>();
  for (const { id, category, imageCount } of [...builds].reverse()) {
    const before = counts.get(category) ?? 0;
    if (imageCount === 0 || before >= count) continue;
    counts.set(category, before + 1);
    newest.add(id);
  }
  return newest;
}
