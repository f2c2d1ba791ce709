import type { Argv } from 'yargs';
import { BuildError, ImageError, type ImageLibrary } from '../firmware/index.js';
import { type Organization, OrganizationError, type OrganizationsNow } from '../organizations/index.js';
import { type Arguments, saying, withInstallation } from './command.js';
import type { Installation } from './installation.js';
import type { Io } from './io.js';
import { organizationNamed, organizationOption, organizationsIn } from './organization-option.js';

/** What commands of images work on. */
export interface OpenedImages {
  readonly images: ImageLibrary;
  readonly installation: Installation;
  readonly organizations: OrganizationsNow;
  /** Whose images are meant; null: the installation's. */
  readonly organization: Organization | null;
}

/** Adds `--organization SLUG`. */
export function withOrganization(argv: Argv, describe: string): Argv {
  return argv.option('organization', organizationOption(describe));
}

/** The slug of its organization; null where it is shared. */
export function ownerText(
  { organization }: { readonly organization?: string | undefined },
  organizations: OrganizationsNow,
): string | null {
  return organization === undefined ? null : organizations.labelOf(organization);
}

/**
 * Opens the images of an installation for one command, beside a running server or without one.
 * @throws CommandError where there is none, and for what `run` asked that cannot be
 */
export async function withImages(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (opened: OpenedImages) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, async (installation) => {
    const { store, images } = installation;
    const organizations = await organizationsIn(store);
    const organization = organizationNamed(args, organizations);
    const work = () => run({ images, installation, organizations, organization });
    await saying(ImageError, () => saying(BuildError, () => saying(OrganizationError, work)));
  });
}
