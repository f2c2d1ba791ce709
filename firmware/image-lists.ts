import { compareText } from '../common/index.js';
import { type Collection, type FindQuery, PAGE_ITEMS_MAX } from '../store/index.js';
import type { Build } from './builds/index.js';
import type { Image, ListedImages } from './image.js';
import { type ImageDocument, imageOf } from './image-document.js';
import { imageIdIn } from './image-id.js';

/** Ids of organizations' images begin with a slash, all others with what comes after it. */
const FIRST_OWNED = '/';
const FIRST_SHARED = '0';
/** No character of an image's id is above it. */
const LAST = '~';

type Range = Pick<FindQuery, 'atLeast' | 'below'>;
type Images = Pick<Collection<ImageDocument>, 'find'>;

/** In the order of ids all images of one owner come after it, and no others before them. */
export function placeBefore(organization: string | undefined): string {
  return organization === undefined ? `${FIRST_OWNED}${LAST}` : imageIdIn(organization, '');
}

/** Whether there is an image of an organization. */
export async function hasImages(images: Images, organization: string): Promise<boolean> {
  const { items } = await images.find({ ...ownAfter(organization, undefined), limit: 1 });
  return items.length > 0;
}

/** The images of a list from its `after` on, read as they are asked for. */
export async function* listedFrom(
  images: Images,
  { organization, after, limit }: ListedImages,
): AsyncGenerator<Image, void> {
  // One more tells whether any follow.
  const limitEach = Math.min(limit + 1, PAGE_ITEMS_MAX);
  const read = (range: Range) => inRange(images, range, limitEach);
  if (organization !== undefined) {
    yield* byName(read(ownAfter(organization, after)), read(sharedAfter(after)));
    return;
  }
  const isAmongOwned = after?.startsWith(FIRST_OWNED) === true;
  if (!isAmongOwned) yield* read(sharedAfter(after));
  yield* read({ atLeast: isAmongOwned ? behind(after) : FIRST_OWNED, below: FIRST_SHARED });
}

/** The images of a build, in the order of the lists; an own image hides no shared one here, as a build names the very image. */
export async function* listedInBuild(
  images: Pick<Collection<ImageDocument>, 'getMany'>,
  { organization, after }: ListedImages,
  build: Build | null,
): AsyncGenerator<Image, void> {
  const ids = (build?.images ?? []).map(({ name }) => imageIdIn(build?.organization, name));
  const stored = await images.getMany(ids);
  const found = stored.flatMap((each) => (each === null ? [] : [imageOf(each.document)]));
  const placeOf = ({ id, name }: Image) => (organization === undefined ? id : name);
  yield* found
    .sort((a, b) => compareText(placeOf(a), placeOf(b)))
    .filter((each) => after === undefined || compareText(placeOf(each), after) > 0);
}

function sharedAfter(name: string | undefined): Range {
  return { atLeast: name === undefined ? FIRST_SHARED : behind(name) };
}

function ownAfter(organization: string, name: string | undefined): Range {
  const atLeast = name === undefined ? placeBefore(organization) : behind(imageIdIn(organization, name));
  return { atLeast, below: `/${organization}${FIRST_SHARED}` };
}

/** A space sorts below every character of a name: so this is the first key after that of the id. */
function behind(id: string): string {
  return `${id} `;
}

async function* inRange(images: Images, range: Range, limit: number): AsyncGenerator<Image, void> {
  let page = await images.find({ ...range, limit });
  for (;;) {
    for (const { document } of page.items) yield imageOf(document);
    if (page.next === null) return;
    page = await images.find({ ...range, limit, after: page.next });
  }
}

/** Both, by name; a shared image that has the name of an own one is left out. */
async function* byName(
  own: AsyncGenerator<Image, void>,
  shared: AsyncGenerator<Image, void>,
): AsyncGenerator<Image, void> {
  let [mine, theirs] = await Promise.all([next(own), next(shared)]);
  while (mine !== null || theirs !== null) {
    if (mine !== null && (theirs === null || mine.name <= theirs.name)) {
      if (mine.name === theirs?.name) theirs = await next(shared);
      yield mine;
      mine = await next(own);
    } else if (theirs !== null) {
      yield theirs;
      theirs = await next(shared);
    }
  }
}

async function next(images: AsyncGenerator<Image, void>): Promise<Image | null> {
  const { value } = await images.next();
  return value ?? null;
}
