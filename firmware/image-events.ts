import { SECOND_MS } from '../common/index.js';
import type { Actor, Happening } from '../events/index.js';
import type { Image } from './image.js';

/** What the log of events is told of an image that comes or goes. */
export function comingOrGoing(action: 'added' | 'removed', image: Image, by: Actor): Happening {
  const there = shown(image);
  return { action, ...subjectOf(image), by, ...(action === 'added' ? { after: there } : { before: there }) };
}

/** What it is told of an image that stands in another place of a build, or in none any more. */
export function moved(before: Image, after: Image, by: Actor): Happening {
  return {
    action: 'changed',
    ...subjectOf(before),
    by,
    before: placeShown(before),
    after: placeShown(after),
  };
}

function subjectOf({ name: subjectId, organization }: Image) {
  return { subject: 'image', subjectId, organization: organization ?? null } as const;
}

/** All but where its content lies. */
function shown({ contentFile: _, organization: __, id: ___, name, uploadedAtMs, ...image }: Image) {
  return { id: name, ...image, uploaded: Math.floor(uploadedAtMs / SECOND_MS) };
}

function placeShown({ build, type }: Image) {
  return { ...(build !== undefined && { build }), ...(type !== undefined && { type }) };
}
