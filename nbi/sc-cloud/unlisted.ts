import { HOUR_MS } from '../../common/index.js';
import { giveUpUnlisted, UNLISTED_MAX } from '../../firmware/index.js';
import { usesOfImages } from '../../rollout/index.js';
import type { Exchange, Scope } from '../http/index.js';
import { CODES } from './codes.js';
import { CloudError } from './dialect.js';
import type { CloudParts } from './parts.js';

/** How long a file waits to be added that was uploaded; a script adds it at once. */
export const UNLISTED_HOURS = 24;

/**
 * Gives up what nobody of the same organization has added in time; no timer does, uploads do, which alone make more of it.
 * @throws CloudError where as many wait as may
 */
export async function makeRoomForUnlisted(
  {
    images,
    rules,
    upgrades,
    batches,
    logger,
    reading,
    clock,
  }: Pick<CloudParts, 'images' | 'rules' | 'upgrades' | 'batches' | 'logger' | 'reading' | 'clock'>,
  exchange: Exchange,
  { organization }: Scope,
): Promise<void> {
  const beforeMs = clock() - UNLISTED_HOURS * HOUR_MS;
  const whose = organization === null ? {} : { organization: organization.id };
  await reading.long(exchange, (turn) =>
    giveUpUnlisted(
      { images, uses: usesOfImages({ rules, upgrades, batches }, turn), logger },
      { ...whose, beforeMs },
    ),
  );
  if ((await images.unlisted.of(organization?.id)).length >= UNLISTED_MAX) throw tooManyUnlisted();
}

export function tooManyUnlisted(): CloudError {
  const expected = `fewer than ${UNLISTED_MAX} files that wait: add them by firmware/add, or wait until they are given up`;
  return new CloudError(CODES.tooManyFiles, 'file', expected);
}
