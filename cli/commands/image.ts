import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CommandModule } from 'yargs';
import { type Image, ImageError, type ImageLibrary } from '../../firmware/index.js';
import { type Arguments, CommandError, operatorName, withConfig, withInstallation } from '../command.js';
import { columnsOf, type Io, sizeText, tableText, timeText } from '../io.js';
import { progressBar } from '../progress.js';
import { SAY_WHICH } from '../usage.js';

const PAGE = 500;

export function imageCommands(io: Io): CommandModule {
  return {
    command: 'image',
    describe: 'Firmware images in the library',
    builder: (argv) =>
      withConfig(argv, ['dataDir', 'secretFile', 'imageMibMax'])
        .command(addCommand(io))
        .command(listCommand(io))
        .command(removeCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <file>',
    describe: 'Add a firmware image',
    builder: (argv) =>
      argv
        .positional('file', { type: 'string', describe: 'The image file' })
        .option('name', { type: 'string', requiresArg: true, describe: "Its name in rules [the file's own]" })
        .option('software-version', {
          type: 'string',
          requiresArg: true,
          describe: 'What a CPE reports once it runs the image, for rules to verify',
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
        .option('sha256', {
          type: 'string',
          requiresArg: true,
          describe: 'Refuse the file unless it hashes to this',
        })
        .option('json', { type: 'boolean', describe: 'Print the image as JSON' })
        .example('$0 image add hgw-2.0.0.bin --software-version 2.0.0 --product-class HGW', ''),
    handler: (args: Arguments) =>
      withImages(args, io, 'make', async (images) => {
        const path = String(args['file']);
        const size = await fileSize(path);
        const bar = progressBar(io, { title: 'Adding', total: size, unit: 'bytes' });
        const content = createReadStream(path);
        content.on('data', (chunk) => bar.add(chunk.length));
        let outcome: Awaited<ReturnType<ImageLibrary['upload']>>;
        try {
          outcome = await images.upload({
            metadata: {
              name: text(args, 'name') ?? basename(path),
              ...optional('softwareVersion', text(args, 'softwareVersion')),
              ...optional('productClass', text(args, 'productClass')),
              ...optional('hardwareVersion', text(args, 'hardwareVersion')),
            },
            content,
            uploadedBy: operatorName(),
            sizeBytes: size,
            ...optional('sha256', text(args, 'sha256')),
          });
        } finally {
          bar.stop();
          content.destroy();
        }
        const { image, sameContentAs } = outcome;
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(image)}\n`);
          return;
        }
        const done = outcome.outcome === 'created' ? 'Added' : 'Unchanged:';
        io.stdout.write(`${done} ${image.id}, ${sizeText(image.sizeBytes)}, SHA-256 ${image.sha256}\n`);
        if (sameContentAs.length > 0) io.stdout.write(`The same content as ${sameContentAs.join(', ')}.\n`);
        if (image.softwareVersion === undefined) {
          io.stdout.write('It has no --software-version: rules for it need a target to verify against.\n');
        }
      }),
  };
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the firmware images',
    builder: (argv) => argv.option('json', { type: 'boolean', describe: 'As JSON' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async (images) => {
        const all: Image[] = [];
        let after: string | null = null;
        do {
          const page = await images.list({ limit: PAGE, ...(after !== null && { after }) });
          all.push(...page.items);
          after = page.next;
        } while (after !== null);
        if (args['json']) {
          io.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
        } else if (all.length === 0) {
          io.stdout.write('No images yet: ferry image add FILE adds one.\n');
        } else {
          const head = ['Name', 'Version', 'Product class', 'Hardware', 'Size', 'SHA-256', 'Added'];
          const rows = all.map((image) => [
            image.id,
            image.softwareVersion ?? '',
            image.productClass ?? 'any',
            image.hardwareVersion ?? 'any',
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
    builder: (argv) => argv.positional('name', { type: 'string', describe: 'Its name in the library' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async (images) => {
        const name = String(args['name']);
        if (!(await images.remove(name)))
          throw new CommandError(`There is no image ${name}; ferry image list shows them.`);
        io.stdout.write(`Removed ${name}.\n`);
      }),
  };
}

async function withImages(
  args: Arguments,
  io: Io,
  whereMissing: 'make' | 'refuse',
  run: (images: ImageLibrary) => Promise<void>,
): Promise<void> {
  await withInstallation(args, io, whereMissing, async ({ images }) => {
    try {
      await run(images);
    } catch (error) {
      if (error instanceof ImageError) throw new CommandError(error.message);
      throw error;
    }
  });
}

async function fileSize(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CommandError(`${path} is not a file.`);
    return found.size;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function text(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return value === undefined ? undefined : String(value);
}

function optional<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: string });
}
