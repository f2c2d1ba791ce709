import type { Argv, CommandModule } from 'yargs';
import { type Build, type Builds, type Category, removeCategoryWithImages } from '../../firmware/index.js';
import type { Organization, OrganizationsNow } from '../../organizations/index.js';
import { type Arguments, CommandError, operator } from '../command.js';
import { withImages } from '../images-access.js';
import { columnsOf, type Io, printable, tableText } from '../io.js';
import { organizationOption } from '../organization-option.js';
import { SAY_WHICH } from '../usage.js';

/** `ferry image category …` */
export function categoryCommands(io: Io): CommandModule {
  return {
    command: 'category',
    describe: 'Categories: firmware whose builds follow one another',
    builder: (argv) =>
      argv
        .command(addCommand(io))
        .command(listCommand(io))
        .command(renameCommand(io))
        .command(removeCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <name>',
    describe: 'Add a category',
    builder: (argv) =>
      withProduct(
        withOwner(argv, 'Whose it becomes, by slug; without, it is shared by all')
          .positional('name', { type: 'string', describe: 'Its name' })
          .option('description', { type: 'string', requiresArg: true, describe: 'What it is, for people' }),
      ).example('$0 image category add Gateways --product-family Example --product-model HGW', ''),
    handler: (args: Arguments) =>
      withImages(args, io, 'make', async ({ images, organization }) => {
        const said = { name: String(args['name']), ...saidIn(args, ['description']), ...productIn(args) };
        const { name, id } = await images.builds.categories.add(said, operator(), organization?.id ?? null);
        io.stdout.write(printable(`Added ${name}, ${id}.\n`));
      }),
  };
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the categories',
    builder: (argv) =>
      withOwner(argv, 'Only what this organization sees, by its slug: its own, and shared ones').option(
        'json',
        {
          type: 'boolean',
          describe: 'Print the categories as JSON',
        },
      ),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organizations, organization }) => {
        const all: Category[] = [];
        for await (const each of images.builds.categories.scan({ within: organization?.id ?? null }))
          all.push(each);
        if (args['json']) {
          io.stdout.write(
            `${JSON.stringify(
              all.map((each) => labelled(each, organizations)),
              null,
              2,
            )}\n`,
          );
        } else if (all.length === 0) {
          io.stdout.write('No categories yet: ferry image category add NAME adds one.\n');
        } else {
          const head = ['Name', 'Whose', 'Family', 'Model', 'Builds', 'Id'];
          const rows = all.map((each) => [
            each.name,
            ownerText(each, organizations),
            each.productFamily ?? '',
            each.productModel ?? '',
            String(each.builds),
            each.id,
          ]);
          io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

function renameCommand(io: Io): CommandModule {
  return {
    command: 'rename <category> <name>',
    describe: 'Give a category another name',
    builder: (argv) =>
      withOwner(argv, 'Whose it is, by slug; without, a shared one')
        .positional('category', { type: 'string', describe: 'Its name, or its id' })
        .positional('name', { type: 'string', describe: 'Its new name' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images: { builds }, organization }) => {
        const { id } = await categoryNamed(String(args['category']), builds, organization);
        const said = { name: String(args['name']) };
        const { name } = await builds.categories.change(id, said, operator(), organization?.id ?? null);
        io.stdout.write(printable(`It is ${name} now.\n`));
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <category>',
    describe: 'Remove a category that has no builds',
    builder: (argv) =>
      withOwner(argv, 'Whose it is, by slug; without, a shared one')
        .positional('category', { type: 'string', describe: 'Its name, or its id' })
        .option('with-images', { type: 'boolean', describe: 'Remove its builds and their images, too' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organization }) => {
        const category = await categoryNamed(String(args['category']), images.builds, organization);
        const removal = { by: operator(), within: organization?.id ?? null };
        if (args['withImages'] === true) await removeCategoryWithImages(images, category, removal);
        else await images.builds.categories.remove(category.id, removal.by, removal.within);
        io.stdout.write(printable(`Removed ${category.name}.\n`));
      }),
  };
}

/** The category that somebody names. @throws CommandError where there is none */
export async function categoryNamed(
  named: string,
  builds: Builds,
  organization: Organization | null,
): Promise<Category> {
  const found = await builds.categories.find(named, organization?.id ?? null);
  if (found !== null) return found;
  throw new CommandError(
    printable(`There is no category ${named}${ofWhom(organization)}; ferry image category list shows them.`),
  );
}

/** The build that somebody names, by its id or as CATEGORY/VERSION. @throws CommandError where there is none */
export async function buildNamed(
  named: string,
  builds: Builds,
  organization: Organization | null,
): Promise<Build> {
  const within = organization?.id ?? null;
  const byId = await builds.get(named, within);
  if (byId !== null) return byId;
  // Either can have a slash itself.
  for (let slash = named.indexOf('/'); slash !== -1; slash = named.indexOf('/', slash + 1)) {
    const category = await builds.categories.find(named.slice(0, slash), within);
    const found = category && (await builds.ofVersion(category.id, named.slice(slash + 1), within));
    if (found !== null) return found;
  }
  throw new CommandError(
    printable(`There is no build ${named}${ofWhom(organization)}; ferry image build list shows them.`),
  );
}

function ofWhom(organization: Organization | null): string {
  return organization === null ? '' : ` of ${organization.slug}`;
}

export function withOwner(argv: Argv, describe: string): Argv {
  return argv.option('organization', organizationOption(describe));
}

export function withProduct(argv: Argv): Argv {
  return argv
    .option('product-family', {
      type: 'string',
      requiresArg: true,
      describe: 'What family of devices it is for, as their maker calls it',
    })
    .option('product-model', {
      type: 'string',
      requiresArg: true,
      describe: 'What model it is for, as their maker calls it',
    });
}

export function productIn(args: Arguments): Readonly<Record<string, string>> {
  return saidIn(args, ['productFamily', 'productModel']);
}

/** Those of the options that are there. */
export function saidIn(args: Arguments, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => (args[name] === undefined ? [] : [[name, String(args[name])]])),
  );
}

/** The slug of whose something is. */
export function ownerText(
  { organization }: { readonly organization?: string },
  organizations: OrganizationsNow,
): string {
  return organization === undefined ? 'shared' : organizations.labelOf(organization);
}

/** Something with the slug of its organization in the place of the id. */
export function labelled<T extends { readonly organization?: string }>(
  thing: T,
  organizations: OrganizationsNow,
): T {
  const { organization } = thing;
  return organization === undefined ? thing : { ...thing, organization: organizations.labelOf(organization) };
}
