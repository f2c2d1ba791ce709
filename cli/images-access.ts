import { BuildError, ImageError, type ImageLibrary } from '../firmware/index.js';
import { type Organization, OrganizationError, type OrganizationsNow } from '../organizations/index.js';
import { type Arguments, saying, withInstallation } from './command.js';
import type { Io } from './io.js';
import { organizationNamed, organizationsIn } from './organization-option.js';

/** What commands of images work on. */
export interface OpenedImages {
  readonly images: ImageLibrary;
  readonly organizations: OrganizationsNow;
  /** Whose images are meant; null: the installation's. */
  readonly organization: Organization | null;
}

/**
 * Opens the images of an installation for one command, beside a running server or without one.
 * @throws CommandError also for what `run` asked that cannot be
 */
export async function withImages(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (opened: OpenedImages) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, async ({ store, images }) => {
    const organizations = await organizationsIn(store);
    const organization = organizationNamed(args, organizations);
    const work = () => run({ images, organizations, organization });
    await saying(ImageError, () => saying(BuildError, () => saying(OrganizationError, work)));
  });
}
