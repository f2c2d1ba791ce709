import type { Actor } from '../../events/index.js';
import { BuildError, SHARED } from '../builds/index.js';
import type { Image, ImageLibrary } from '../image.js';
import { ownerOf } from '../image-id.js';
import { imageNameIn } from '../named-image.js';
import { buildsOwnedBy, type HeldBuild, newestBuilds } from './build-retention.js';

const PAGE = 500;
/** Images of which one collection decides, the oldest first; the next one decides of more. */
export const COLLECTED_IMAGES_MAX = 10_000;
const NAMING_RULES_SHOWN_MAX = 10;

/** A file that somebody names. */
export interface NamedFile {
  readonly file: string;
  /** Whose rule it stands in, or stood in; absent: the installation's. */
  readonly organization?: string;
  /** What that rule is called. */
  readonly rule: string;
}

/** Who names images. Each is asked in this order, after those before it have been told to their end. */
export interface ImageUses {
  /** All rules, also those that are disabled. @param organization  only its own */
  rules(organization: string | undefined): AsyncIterable<NamedFile>;
  /** Upgrades under way. */
  running(): AsyncIterable<NamedFile>;
  /** Upgrades that were begun since then, in epoch milliseconds. */
  startedSince(sinceMs: number): AsyncIterable<NamedFile>;
}

/** Why an image stays. */
export type KeptBecause =
  | 'young'
  /** One of the newest of its product class and hardware version. */
  | 'newest'
  /** Its build is one of the newest of a category. */
  | 'newest-build'
  /** Another image of its build stays: a build goes as a whole. */
  | 'build-stays'
  | 'named-by-rule'
  | 'upgrade-running'
  | 'used-lately'
  /** There are more than one collection decides of. */
  | 'not-looked-at'
  /** Somebody has named, replaced or removed it meanwhile, or has begun another collection. */
  | 'changed-meanwhile';

export interface CollectOptions {
  /** Whose images; absent: the shared ones. */
  readonly organization?: string;
  /** What was uploaded, or sent to a CPE, within so long stays. */
  readonly unusedMs: number;
  /** So many of each product class and hardware version stay, the newest. */
  readonly keepNewest: number;
  /** So many builds of each category stay with all their images, the newest. */
  readonly keepBuilds: number;
  /** Removes nothing. */
  readonly dryRun: boolean;
  readonly nowMs: number;
  readonly by: Actor;
}

export interface Collected {
  /** What was removed, or would be. */
  readonly removed: readonly Image[];
  /** Builds that went with the last of their images, or would. */
  readonly removedBuilds: readonly HeldBuild[];
  readonly kept: readonly {
    readonly image: Image;
    readonly because: KeptBecause;
    readonly rules?: readonly string[];
  }[];
}

/**
 * Removes images that nobody needs. No image that a rule or a running upgrade names goes, also not one that is named while this looks: names are
 * marked first (`going-images.ts`), then it is looked for who names them, rules before upgrades. An upgrade is only begun by a rule that is there:
 * one whose rule was gone when it was looked for, and whose upgrade had been begun before, is found running. The images of a build stay or go together,
 * but for what comes between while they go; with the last of them goes the build.
 * @throws StoreError
 */
export async function collectImages(
  { images, uses }: { readonly images: ImageLibrary; readonly uses: ImageUses },
  options: CollectOptions,
): Promise<Collected> {
  const { organization, unusedMs, nowMs, dryRun, by } = options;
  const sinceMs = nowMs - unusedMs;
  const all = await imagesOf(images, organization);
  const builds = await buildsOwnedBy(images.builds, organization);
  const kept = new Map<Image, Collected['kept'][number]>();
  const keep = (image: Image, because: KeptBecause) => {
    if (!kept.has(image)) kept.set(image, { image, because });
  };
  const keepWholeBuilds = () => {
    const staying = new Set([...kept.keys()].map(({ build }) => build));
    for (const image of all)
      if (image.build !== undefined && staying.has(image.build)) keep(image, 'build-stays');
  };
  for (const image of all) if (image.uploadedAtMs > sinceMs) keep(image, 'young');
  for (const image of newestOf(all, options.keepNewest)) keep(image, 'newest');
  const newest = newestBuilds(builds, options.keepBuilds);
  for (const image of all)
    if (image.build !== undefined && newest.has(image.build)) keep(image, 'newest-build');
  keepWholeBuilds();
  const old = all
    .filter((image) => !kept.has(image))
    .sort((one, other) => one.uploadedAtMs - other.uploadedAtMs);
  for (const image of old.slice(COLLECTED_IMAGES_MAX)) keep(image, 'not-looked-at');
  const candidates = old.slice(0, COLLECTED_IMAGES_MAX);
  const { going } = images;
  const run = dryRun || candidates.length === 0 ? null : await going.mark(candidates.map(({ name }) => name));
  const removed: Image[] = [];
  try {
    const named = await whoNames(candidates, uses, { organization, sinceMs });
    for (const image of candidates) {
      const naming = named.get(image.name);
      if (naming !== undefined) kept.set(image, { image, ...naming });
    }
    keepWholeBuilds();
    for (const image of candidates) {
      if (kept.has(image)) continue;
      if (run === null || (await remove(image, run))) removed.push(image);
      else keep(image, 'changed-meanwhile');
    }
  } finally {
    if (run !== null) await going.unmark(run);
  }
  const removedBuilds: HeldBuild[] = [];
  for (const build of emptiedOf(builds, removed, kept))
    if (dryRun || (await removeBuild(build))) removedBuilds.push(build);
  return { removed, removedBuilds, kept: all.flatMap((image) => kept.get(image) ?? []) };

  function remove(image: Image, ofRun: string): Promise<boolean> {
    return images.remove(image.name, by, organization, async (found) => {
      const isSame = found.uploadedAtMs === image.uploadedAtMs && found.sha256 === image.sha256;
      if (!isSame || found.build !== image.build || found.type !== image.type) return null;
      const stillGoing = await going.stillGoing(ofRun, image.name);
      return stillGoing === null ? null : [stillGoing];
    });
  }

  /** @returns false where it has gone otherwise, or has another image by now */
  async function removeBuild({ id }: HeldBuild): Promise<boolean> {
    try {
      await images.builds.remove(id, by, organization ?? SHARED);
      return true;
    } catch (error) {
      if (error instanceof BuildError) return false;
      throw error;
    }
  }
}

/** Those of which an image was removed, and none stays. One that never had an image is about to get some. */
function emptiedOf(
  builds: readonly HeldBuild[],
  removed: readonly Image[],
  kept: ReadonlyMap<Image, unknown>,
): readonly HeldBuild[] {
  const emptied = new Set(removed.map(({ build }) => build));
  for (const { build } of kept.keys()) emptied.delete(build);
  return builds.filter(({ id }) => emptied.has(id));
}

type Naming = Pick<Collected['kept'][number], 'because' | 'rules'>;

/**
 * By the names of images who names them first.
 * @param asked  `organization`: whose images they are; `sinceMs`: upgrades begun since then count, null: those under way alone
 */
export async function whoNames(
  candidates: readonly Image[],
  uses: ImageUses,
  { organization, sinceMs }: { readonly organization: string | undefined; readonly sinceMs: number | null },
): Promise<ReadonlyMap<string, Naming>> {
  const asked = new Set(candidates.map(({ name }) => name));
  const found = new Map<string, { readonly because: KeptBecause; readonly rules?: string[] }>();
  /**
   * A rule of an organization may mean a shared image by a name, now or once its own of that name is gone. One of the installation means
   * none of an organization.
   */
  const askedNameIn = (named: NamedFile): string | null => {
    if (organization !== undefined && named.organization !== organization) return null;
    const name = imageNameIn(named.file);
    return asked.has(name) ? name : null;
  };
  if (asked.size === 0) return found;
  for await (const named of uses.rules(organization)) {
    const name = askedNameIn(named);
    if (name === null) continue;
    const { rules = [] } = found.get(name) ?? {};
    if (rules.length < NAMING_RULES_SHOWN_MAX) rules.push(named.rule);
    found.set(name, { because: 'named-by-rule', rules });
  }
  for (const [because, upgrades] of [
    ['upgrade-running', () => uses.running()],
    ['used-lately', () => (sinceMs === null ? [] : uses.startedSince(sinceMs))],
  ] as const) {
    if (found.size === asked.size) break;
    for await (const named of upgrades()) {
      const name = askedNameIn(named);
      if (name !== null && !found.has(name)) found.set(name, { because });
    }
  }
  return found;
}

/** All images of an owner. */
async function imagesOf(library: ImageLibrary, organization: string | undefined): Promise<readonly Image[]> {
  const found: Image[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<ImageLibrary['list']>> = await library.list({
      limit: PAGE,
      ...(organization !== undefined && { organization }),
      ...(after !== null && { after }),
    });
    found.push(...page.items.filter(({ id }) => ownerOf(id).organization === organization));
    // Of everybody's the shared ones come first.
    const isPast = organization === undefined && page.items.some((image) => image.organization !== undefined);
    after = isPast ? null : page.next;
  } while (after !== null);
  return found;
}

function newestOf(images: readonly Image[], count: number): readonly Image[] {
  const byKind = new Map<string, Image[]>();
  for (const image of images) {
    const kind = JSON.stringify([image.productClass, image.hardwareVersion]);
    const ofKind = byKind.get(kind) ?? [];
    ofKind.push(image);
    byKind.set(kind, ofKind);
  }
  return [...byKind.values()].flatMap((ofKind) =>
    ofKind.sort((one, other) => other.uploadedAtMs - one.uploadedAtMs).slice(0, count),
  );
}
