import type { Build, Builds } from '../builds/index.js';

/** All builds of an owner, from the oldest. @param organization  absent: the shared ones. @throws StoreError */
export async function buildsOwnedBy(
  builds: Builds,
  organization: string | undefined,
): Promise<readonly Build[]> {
  const found: Build[] = [];
  for await (const build of builds.scan({ within: organization ?? null, isOwnOnly: true }))
    if (build.organization === organization) found.push(build);
  return found;
}

/** The ids of the newest of each category that have images: one without is still to come. @param builds  from the oldest */
export function newestBuilds(builds: readonly Build[], count: number): ReadonlySet<string> {
  const newest = new Set<string>();
  const counts = new Map<string, number>();
  for (const { id, category, images } of [...builds].reverse()) {
    const before = counts.get(category) ?? 0;
    if (images.length === 0 || before >= count) continue;
    counts.set(category, before + 1);
    newest.add(id);
  }
  return newest;
}
