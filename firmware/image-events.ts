import { SECOND_MS } from '../common/index.js';
import type { Actor, Happening } from '../events/index.js';
import type { Image, ImageSignature } from './image.js';

/** What the log of events is told of an image that comes or goes. */
export function comingOrGoing(action: 'added' | 'removed', image: Image, by: Actor | null): Happening {
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

/** What it is told of an image that waited to be listed. */
export function listed(image: Image, by: Actor | null): Happening {
  return { action: 'listed', ...subjectOf(image), by, after: shown(image) };
}

/** What it is told of an image that has another signature, or none any more; `by` null: it comes about with something else. */
export function signedOrUnsigned(before: Image, after: Image, by: Actor | null): Happening {
  const action = after.signature === undefined ? 'unsigned' : 'signed';
  return { action, ...subjectOf(before), by, before: shown(before), after: shown(after) };
}

function subjectOf({ name: subjectId, organization }: Image) {
  return { subject: 'image', subjectId, organization: organization ?? null } as const;
}

/** All but where its content lies. */
function shown(image: Image) {
  const { contentFile: _, organization: __, id: ___, name, uploadedAtMs, signature, ...said } = image;
  const signed = signature === undefined ? {} : { signature: signatureShown(signature) };
  return { id: name, ...said, uploaded: Math.floor(uploadedAtMs / SECOND_MS), ...signed };
}

function signatureShown({ verifiedAtMs, publicKey: _, file: __, ...signature }: ImageSignature) {
  return { ...signature, verified: Math.floor(verifiedAtMs / SECOND_MS) };
}

function placeShown({ build, type }: Image) {
  return { ...(build !== undefined && { build }), ...(type !== undefined && { type }) };
}
