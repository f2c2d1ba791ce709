import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import type { CommandModule } from 'yargs';
import { silentLogger, systemClock } from '../../common/index.js';
import {
  BOARD_SEPARATOR,
  type BuildPlace,
  boardsIn,
  type Image,
  type ImageLibrary,
  type ReadField,
} from '../../firmware/index.js';
import type { Organization, OrganizationsNow } from '../../organizations/index.js';
import { rulesMeaning } from '../../rollout/index.js';
import { openRules, writtenId } from '../../rules/index.js';
import {
  type Arguments,
  CommandError,
  INSTALLATION_OPTIONS,
  operator,
  operatorName,
  withConfig,
} from '../command.js';
import { openFile } from '../files.js';
import { ownerText, withImages, withOrganization } from '../images-access.js';
import type { Installation } from '../installation.js';
import { columnsOf, type Io, printable, sizeText, tableText, timeText } from '../io.js';
import { type ProgressBar, progressBar } from '../progress.js';
import { SAY_WHICH } from '../usage.js';
import { buildCommands } from './image-build.js';
import { buildNamed, categoryCommands } from './image-category.js';
import { gcCommand } from './image-gc.js';
import { inspectCommand } from './image-inspect.js';
import { keyCommands } from './image-key.js';
import { syncCommand } from './image-sync.js';
import { signatureOf, signedText, verifyCommand } from './image-verify.js';

const PAGE = 500;

export function imageCommands(io: Io): CommandModule {
  return {
    command: 'image',
    describe: 'Firmware images in the library',
    builder: (argv) =>
      withConfig(argv, [...INSTALLATION_OPTIONS, 'imageMibMax', 'organizationImageMibMax', 'strictImages'])
        .command(addCommand(io))
        .command(listCommand(io))
        .command(removeCommand(io))
        .command(verifyCommand(io))
        .command(keyCommands(io))
        .command(gcCommand(io))
        .command(syncCommand(io))
        .command(inspectCommand(io))
        .command(buildCommands(io))
        .command(categoryCommands(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <file>',
    describe: 'Add a firmware image',
    builder: (argv) =>
      withOrganization(argv, 'Whose image it becomes, by slug; without, it is shared by all')
        .positional('file', { type: 'string', describe: 'The image file' })
        .option('name', { type: 'string', requiresArg: true, describe: "Its name in rules [the file's own]" })
        .option('software-version', {
          type: 'string',
          requiresArg: true,
          describe: 'What a CPE reports once it runs the image, for rules to verify [what the file says]',
        })
        .option('product-class', {
          type: 'string',
          requiresArg: true,
          describe: 'Only for CPEs of this ProductClass',
        })
        .option('hardware-version', {
          type: 'string',
          requiresArg: true,
          describe: 'Only for this HardwareVersion',
        })
        .option('boards', {
          type: 'string',
          requiresArg: true,
          describe: `Only for these boards, separated by "${BOARD_SEPARATOR}" [what the file says]`,
        })
        .option('build', {
          type: 'string',
          requiresArg: true,
          describe: 'The build that it is to be in: CATEGORY/VERSION, or its id',
        })
        .option('type', {
          type: 'string',
          requiresArg: true,
          describe: 'Which devices of the build it is for, beside --build',
        })
        .implies('build', 'type')
        .implies('type', 'build')
        .option('sha256', {
          type: 'string',
          requiresArg: true,
          describe: 'Refuse the file unless it hashes to this',
        })
        .option('signature', {
          type: 'string',
          requiresArg: true,
          describe: 'File of its signature (.minisig, .sig, or of Ed25519); refused unless a key verifies it',
        })
        .option('json', { type: 'boolean', describe: 'Print the image as JSON' })
        .example('$0 image add hgw-2.0.0.bin --software-version 2.0.0 --product-class HGW', ''),
    handler: (args: Arguments) =>
      withImages(args, io, 'make', async ({ images, organization, organizations }) => {
        const path = String(args['file']);
        const boards = text(args, 'boards');
        const place = await placeIn(args, images, organization);
        const signature = await signatureOf(args);
        const { file, sizeBytes } = await openFile(path);
        const bar = progressBar(io, { title: 'Adding', total: sizeBytes, unit: 'bytes' });
        const content = Readable.from(counted(file, bar), { objectMode: false });
        let outcome: Awaited<ReturnType<ImageLibrary['upload']>>;
        try {
          outcome = await images.upload({
            metadata: {
              name: text(args, 'name') ?? basename(path),
              ...optional('softwareVersion', text(args, 'softwareVersion')),
              ...optional('productClass', text(args, 'productClass')),
              ...optional('hardwareVersion', text(args, 'hardwareVersion')),
              ...(boards !== undefined && { boards: boardsIn(boards) }),
            },
            ...(organization !== null && { organization: organization.id }),
            content,
            by: operator(),
            uploadedBy: operatorName(),
            sizeBytes,
            ...(place !== null && { place }),
            ...optional('sha256', text(args, 'sha256')),
            ...(signature !== null && { signature }),
          });
        } finally {
          bar.stop();
          content.destroy();
          await file.close();
        }
        const { image, sameContentAs } = outcome;
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(viewOf(image, organizations))}\n`);
          return;
        }
        const done = outcome.outcome === 'created' ? 'Added' : 'Unchanged:';
        io.stdout.write(`${done} ${image.name}, ${sizeText(image.sizeBytes)}, SHA-256 ${image.sha256}\n`);
        if (image.signature !== undefined) io.stdout.write(`${signedText(image.signature)}\n`);
        if (sameContentAs.length > 0) io.stdout.write(`The same content as ${sameContentAs.join(', ')}.\n`);
        for (const line of factLines(image)) io.stdout.write(`${printable(line)}\n`);
        if (image.softwareVersion === undefined) {
          io.stdout.write('It has no --software-version: rules for it need a target to verify against.\n');
        }
      }),
  };
}

/** What the file has said of an image, and what to look at. */
function factLines({ fromFile = [], formats = [], warnings = [], ...image }: Image): readonly string[] {
  const named = {
    softwareVersion: `Version ${image.softwareVersion}`,
    boards: `Boards ${image.boards?.join(', ')}`,
    hardwareVersion: `Hardware ${image.hardwareVersion}; CPEs are not held against it`,
  };
  return [
    ...(formats.length > 0 ? [`Its format is ${formats.join(', ')}.`] : []),
    ...fromFile.map((field) => `From the file: ${named[field]}`),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ];
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the firmware images',
    builder: (argv) =>
      withOrganization(
        argv,
        'Only what this organization sees, by its slug: its own, and shared ones',
      ).option('json', { type: 'boolean', describe: 'Print the images as JSON' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organization, organizations }) => {
        const all: Image[] = [];
        let after: string | null = null;
        do {
          const page = await images.list({
            limit: PAGE,
            ...(after !== null && { after }),
            ...(organization !== null && { organization: organization.id }),
          });
          all.push(...page.items);
          after = page.next;
        } while (after !== null);
        if (args['json']) {
          io.stdout.write(
            `${JSON.stringify(
              all.map((image) => viewOf(image, organizations)),
              null,
              2,
            )}\n`,
          );
        } else if (all.length === 0) {
          io.stdout.write('No images yet: ferry image add FILE adds one.\n');
        } else {
          const areOwned = all.some((image) => image.organization !== undefined);
          const owner = areOwned ? ['Organization'] : [];
          const head = ['Name', ...owner, 'Version', 'Product class', 'Hardware', 'Size', 'SHA-256', 'Added'];
          const rows = all.map((image) => [
            image.name,
            ...(areOwned ? [ownerText(image, organizations) ?? 'shared'] : []),
            image.softwareVersion ?? '',
            image.productClass ?? 'any',
            (isTyped(image, 'hardwareVersion') ? image.hardwareVersion : undefined) ?? 'any',
            sizeText(image.sizeBytes),
            image.sha256.slice(0, 12),
            timeText(image.uploadedAtMs),
          ]);
          io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <name>',
    describe: 'Remove a firmware image',
    builder: (argv) =>
      withOrganization(argv, 'Whose image it is, by slug; without, a shared one')
        .positional('name', { type: 'string', describe: 'Its name in the library' })
        .option('force', { type: 'boolean', describe: 'Also while an enabled rule names it' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, installation, organization }) => {
        const name = String(args['name']);
        if (args['force'] !== true) await refuseNamed(name, images, installation, organization);
        if (!(await images.remove(name, operator(), organization?.id))) {
          const whose = organization === null ? '' : ` of ${organization.slug}`;
          throw new CommandError(`There is no image ${name}${whose}; ferry image list shows them.`);
        }
        io.stdout.write(`Removed ${name}.\n`);
      }),
  };
}

/** As over HTTP. @throws CommandError where enabled rules mean the image */
async function refuseNamed(
  name: string,
  images: ImageLibrary,
  { store, secrets }: Installation,
  organization: Organization | null,
): Promise<void> {
  const parts = { store, secrets, clock: systemClock, logger: silentLogger };
  const rules = await openRules({ ...parts, resolveFile: async () => null });
  try {
    const whose = organization === null ? {} : { organization: organization.id };
    const meaning = await rulesMeaning([{ name, ...whose }], { rules, images });
    if (meaning.length === 0) return;
    const ids = meaning.map(({ id }) => writtenId(id)).join(', ');
    throw new CommandError(
      printable(`Enabled rules name the image ${name}: ${ids}. Disable them, or say --force.`),
    );
  } finally {
    await rules.close();
  }
}

/** What is only read from the file is nothing that CPEs must have. */
function isTyped({ fromFile = [] }: Image, field: ReadField): boolean {
  return !fromFile.includes(field);
}

/** Where in a build an image is to stand. @throws CommandError */
async function placeIn(
  args: Arguments,
  { builds }: ImageLibrary,
  organization: Organization | null,
): Promise<BuildPlace | null> {
  if (args['build'] === undefined) return null;
  const { id } = await buildNamed(String(args['build']), builds, organization);
  return { build: id, type: String(args['type']) };
}

/** As it is stored, by the name that rules call it. */
function viewOf({ name, organization, ...stored }: Image, organizations: OrganizationsNow) {
  const owner = ownerText({ organization }, organizations);
  return { ...stored, id: name, ...(owner !== null && { organization: owner }) };
}

/** Counts what is taken, not before it is: a listener for 'data' would set the stream flowing before the library reads. */
async function* counted(file: FileHandle, bar: ProgressBar): AsyncGenerator<Buffer> {
  for await (const chunk of file.createReadStream()) {
    const bytes = Buffer.from(chunk);
    bar.add(bytes.length);
    yield bytes;
  }
}

function text(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return value === undefined ? undefined : String(value);
}

function optional<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: string });
}
