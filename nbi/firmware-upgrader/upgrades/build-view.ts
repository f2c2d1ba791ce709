import type { Build, ImageLibrary } from '../../../firmware/index.js';
import { findCategory } from '../categories.js';
import { type Field, timeText } from '../manners/index.js';

export const BUILD_FIELDS = [{ name: 'id', kind: 'id', readOnly: true }] as const satisfies readonly Field[];

/** A build as the API shows it. */
export async function buildView(images: ImageLibrary, build: Build) {
  const { id, createdAtMs, modifiedAtMs, version, os, changelog, category, organization } = build;
  const { name = '' } = (await findCategory(images, category, null)) ?? {};
  return {
    id,
    category_relation: { name, organization: organization ?? null },
    created: timeText(createdAtMs),
    modified: timeText(modifiedAtMs),
    version,
    os,
    changelog,
    category,
  };
}

/** The build of an id that whoever asks sees; null for none. */
export function findBuild({ builds }: ImageLibrary, id: string, within: string | null) {
  return builds.get(id, within);
}
