import type { Logger } from '../../common/index.js';
import type { Image, ImageLibrary } from '../image.js';
import { type ImageUses, whoNames } from './collect.js';

/**
 * Removes images that nobody has had listed in time; one that a rule or an upgrade under way names by then, or that stands in a build, is in
 * use, and is listed. Names are marked before it is looked who names them, as {@link collectImages} does: so an image that is named meanwhile stays.
 * What cannot be removed is logged, and keeps nothing else from going.
 * @throws StoreError
 */
export async function giveUpUnlisted(
  {
    images,
    uses,
    logger,
  }: {
    readonly images: Pick<ImageLibrary, 'unlisted' | 'going'>;
    readonly uses: ImageUses;
    readonly logger: Logger;
  },
  {
    organization,
    beforeMs,
  }: {
    /** Whose images; absent: the shared ones. */ readonly organization?: string;
    readonly beforeMs: number;
  },
): Promise<void> {
  const { unlisted, going } = images;
  const due = (await unlisted.of(organization)).filter(
    ({ unlistedAtMs }) => unlistedAtMs !== undefined && unlistedAtMs < beforeMs,
  );
  if (due.length === 0) return;
  const run = await going.mark(due.map(({ name }) => name));
  try {
    const named = await whoNames(due, uses, { organization, sinceMs: null });
    for (const image of due) {
      try {
        const isInUse = image.build !== undefined || named.has(image.name);
        await (isInUse ? unlisted.list(image.name, null, organization) : giveUp(image));
      } catch (error) {
        logger.error('image.not-given-up', { image: image.id, error });
      }
    }
  } finally {
    await going.unmark(run);
  }

  async function giveUp({ name, sha256, unlistedAtMs }: Image): Promise<void> {
    await unlisted.giveUp(name, organization, async (found) => {
      const isSame = found.sha256 === sha256 && found.unlistedAtMs === unlistedAtMs;
      if (!isSame || found.build !== undefined) return null;
      const stillGoing = await going.stillGoing(run, name);
      return stillGoing && [stillGoing];
    });
  }
}
