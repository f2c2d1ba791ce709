import { HOUR_MS } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import { ApiError, type Exchange, type Scope } from '../http/index.js';
import { requireUnnamed } from '../images/index.js';
import { CODES } from './codes.js';
import { CloudError } from './dialect.js';
import type { CloudParts } from './parts.js';

/** How long a file waits to be added that was uploaded; a script adds it at once. */
export const UNLISTED_HOURS = 24;
/** Files of one organization, or of the installation, that wait at a time. */
export const UNLISTED_MAX = 16;

/**
 * Gives up what nobody has added in time; no timer does, uploads do, which alone make more of it.
 * @throws CloudError where as many wait as may
 */
export async function makeRoomForUnlisted(
  { images, rules, reading, clock }: Pick<CloudParts, 'images' | 'rules' | 'reading' | 'clock'>,
  exchange: Exchange,
  scope: Scope,
): Promise<void> {
  for await (const image of images.unlisted.scan(clock() - UNLISTED_HOURS * HOUR_MS))
    await reading.long(exchange, (turn) => giveUp(image, { images, rules, scope, turn }));
  let waiting = 0;
  for await (const { organization } of images.unlisted.scan()) {
    if (organization === scope.organization?.id) waiting++;
    if (waiting >= UNLISTED_MAX) throw tooMany();
  }
}

/** Removes it; where rules mean it by now it is in use, and listed. */
async function giveUp(
  { name, organization }: Image,
  {
    images,
    rules,
    ...asked
  }: { readonly images: ImageLibrary; readonly rules: Rules } & Pick<
    Parameters<typeof requireUnnamed>[2],
    'scope' | 'turn'
  >,
): Promise<void> {
  const removed = { name, ...(organization !== undefined && { organization }) };
  try {
    await requireUnnamed([removed], { rules, images }, { ...asked, remedy: '' });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    await images.unlisted.list(name, null, organization);
    return;
  }
  await images.unlisted.giveUp(name, organization);
}

function tooMany(): CloudError {
  const expected = `fewer than ${UNLISTED_MAX} files that wait: add them by firmware/add, or wait until they are given up`;
  return new CloudError(CODES.tooManyFiles, 'file', expected);
}
