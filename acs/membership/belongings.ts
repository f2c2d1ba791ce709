import type { Clock } from '../../common/index.js';
import {
  CATEGORIES,
  type CategoryDocument,
  hasCategories,
  hasImages,
  IMAGES,
  type ImageDocument,
  ImageKeys,
} from '../../firmware/index.js';
import type { Belonging } from '../../organizations/index.js';
import type { Rules } from '../../rules/index.js';
import type { Store } from '../../store/index.js';
import type { Devices } from '../device/device.js';

/** What belongs to organizations in the rooms from here down. */
export function belongingsIn({
  store,
  clock,
  devices,
  rules,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'count'>;
  readonly rules: Pick<Rules, 'scan'>;
}): readonly Belonging[] {
  const images = store.collection<ImageDocument>(IMAGES);
  const categories = store.collection<CategoryDocument>(CATEGORIES);
  const keys = new ImageKeys({ store, clock });
  return [
    {
      code: 'has-cpes',
      what: 'CPEs',
      remedy: 'move its CPEs to another',
      isAnyOf: async (organization) => (await devices.count({ organization })) > 0,
    },
    {
      code: 'has-rules',
      what: 'rules',
      remedy: 'delete its rules',
      async isAnyOf(organization) {
        // Those of owners go with these, which are in the way themselves as far as that matters.
        for await (const { owner } of rules.scan({ organization })) if (owner === undefined) return true;
        return false;
      },
    },
    {
      code: 'has-images',
      what: 'images',
      remedy: 'delete its images',
      isAnyOf: (organization) => hasImages(images, organization),
    },
    {
      code: 'has-builds',
      what: 'categories of images',
      remedy: 'delete its builds and categories',
      isAnyOf: (organization) => hasCategories(categories, organization),
    },
    {
      code: 'has-image-keys',
      what: 'keys of images',
      remedy: 'remove its keys of images',
      isAnyOf: async (organization) => (await keys.of(organization)).length > 0,
    },
  ];
}
