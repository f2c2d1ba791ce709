import type { CommandModule } from 'yargs';
import { type Build, type Category, removeBuildWithImages, targetVersionOf } from '../../firmware/index.js';
import { type Arguments, operator } from '../command.js';
import { withImages } from '../images-access.js';
import { columnsOf, type Io, printable, tableText, timeText } from '../io.js';
import { SAY_WHICH } from '../usage.js';
import {
  buildNamed,
  categoryNamed,
  labelled,
  ownerText,
  productIn,
  saidIn,
  withOwner,
  withProduct,
} from './image-category.js';

/** `ferry image build …` */
export function buildCommands(io: Io): CommandModule {
  return {
    command: 'build',
    describe: 'Builds: one version of the firmware of a category, with an image for each type of device',
    builder: (argv) =>
      argv
        .command(addCommand(io))
        .command(listCommand(io))
        .command(showCommand(io))
        .command(removeCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <category> <release>',
    describe: 'Add a build; ferry image add --build puts images into it',
    builder: (argv) =>
      withProduct(
        withOwner(argv, 'Whose category it is, by slug; without, a shared one')
          .positional('category', { type: 'string', describe: 'The name of its category, or its id' })
          .positional('release', { type: 'string', describe: 'Its version' })
          .option('os', {
            type: 'string',
            requiresArg: true,
            describe: 'What a CPE reports that runs it, where that is not the version',
          })
          .option('changelog', { type: 'string', requiresArg: true, describe: 'What is new, for people' }),
      ).example('$0 image build add Gateways 2.0.0 --os "HGW 2.0.0"', ''),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images: { builds }, organization }) => {
        const category = await categoryNamed(String(args['category']), builds, organization);
        const said = {
          category: category.id,
          version: String(args['release']),
          ...saidIn(args, ['os', 'changelog']),
          ...productIn(args),
        };
        const { version, id } = await builds.add(said, operator(), organization?.id ?? null);
        io.stdout.write(printable(`Added ${category.name}/${version}, ${id}.\n`));
      }),
  };
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list [category]',
    describe: 'List the builds, or those of a category',
    builder: (argv) =>
      withOwner(argv, 'Only what this organization sees, by its slug: its own, and shared ones')
        .positional('category', { type: 'string', describe: 'The name of a category, or its id' })
        .option('json', { type: 'boolean', describe: 'Print the builds as JSON' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images: { builds }, organizations, organization }) => {
        const within = organization?.id ?? null;
        const only =
          args['category'] === undefined
            ? null
            : await categoryNamed(String(args['category']), builds, organization);
        const all: Build[] = [];
        for await (const each of builds.scan({ within, ...(only !== null && { category: only.id }) }))
          all.push(each);
        if (args['json']) {
          const shown = all.map((each) => labelled(withTarget(each), organizations));
          io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
          return;
        }
        if (all.length === 0) {
          io.stdout.write('No builds yet: ferry image build add CATEGORY VERSION adds one.\n');
          return;
        }
        const names = new Map<string, string>();
        for await (const { id, name } of builds.categories.scan({ within })) names.set(id, name);
        const head = ['Category', 'Version', 'Whose', 'Target version', 'Images', 'Added', 'Id'];
        const rows = all.map((each) => [
          names.get(each.category) ?? each.category,
          each.version,
          ownerText(each, organizations),
          targetVersionOf(each),
          String(each.images.length),
          timeText(each.createdAtMs),
          each.id,
        ]);
        io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
      }),
  };
}

function showCommand(io: Io): CommandModule {
  return {
    command: 'show <build>',
    describe: 'Show a build and its images',
    builder: (argv) =>
      withOwner(argv, 'Whose it is, by slug; without, anybody’s by its id, or a shared one')
        .positional('build', { type: 'string', describe: 'CATEGORY/VERSION, or its id' })
        .option('json', { type: 'boolean', describe: 'Print the build as JSON' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images: { builds }, organizations, organization }) => {
        const build = await buildNamed(String(args['build']), builds, organization);
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(labelled(withTarget(build), organizations))}\n`);
          return;
        }
        const category = await builds.categories.find(build.category, organization?.id ?? null);
        io.stdout.write(printable(`${describing(build, category)}\n`));
        if (build.images.length === 0) return;
        const rows = build.images.map(({ type, name, softwareVersion }) => [
          type,
          name,
          softwareVersion ?? '',
        ]);
        io.stdout.write(`${tableText(['Type', 'Image', 'Version'], rows, columnsOf(io.stdout))}\n`);
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <build>',
    describe: 'Remove a build that has no images',
    builder: (argv) =>
      withOwner(argv, 'Whose it is, by slug; without, anybody’s by its id, or a shared one')
        .positional('build', { type: 'string', describe: 'CATEGORY/VERSION, or its id' })
        .option('with-images', { type: 'boolean', describe: 'Remove its images, too' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organization }) => {
        const build = await buildNamed(String(args['build']), images.builds, organization);
        const removal = { by: operator(), within: organization?.id ?? null };
        if (args['withImages'] === true) await removeBuildWithImages(images, build, removal);
        else await images.builds.remove(build.id, removal.by, removal.within);
        io.stdout.write(printable(`Removed ${build.version}.\n`));
      }),
  };
}

function withTarget(build: Build) {
  return { ...build, targetVersion: targetVersionOf(build) };
}

function describing(build: Build, category: Category | null): string {
  const { id, version, os, changelog } = build;
  const lines = [
    `${category?.name ?? build.category}/${version}, ${id}`,
    `CPEs report ${targetVersionOf(build)} once they run it${os === null || os === '' ? '' : ', its os'}.`,
    ...(changelog === '' ? [] : [changelog]),
    ...(build.images.length === 0 ? ['It has no images yet: ferry image add --build puts them there.'] : []),
  ];
  return lines.join('\n');
}
