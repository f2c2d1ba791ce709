import type { CommandModule } from 'yargs';
import { type ImageKey, KEY_TEXT_CHARACTERS_MAX } from '../../firmware/index.js';
import { type Arguments, CommandError, operator } from '../command.js';
import { ownerText, withImages, withOrganization } from '../images-access.js';
import { columnsOf, type Io, printable, tableText, timeText } from '../io.js';
import { SAY_WHICH } from '../usage.js';
import { smallFile } from './image-verify.js';

/** `ferry image key`: the public keys by which signatures of images are verified. */
export function keyCommands(io: Io): CommandModule {
  return {
    command: 'key',
    describe: 'Public keys by which signatures of images are verified',
    builder: (argv) =>
      argv
        .command(addCommand(io))
        .command(listCommand(io))
        .command(removeCommand(io))
        .demandCommand(1, SAY_WHICH),
    handler() {},
  };
}

function addCommand(io: Io): CommandModule {
  return {
    command: 'add <name> <file>',
    describe: 'Add a public key: of minisign, usign or signify, or of Ed25519 as PEM or in base64',
    builder: (argv) =>
      withOrganization(argv, 'Whose images it holds for, by slug; without, for all')
        .positional('name', { type: 'string', describe: 'What to call it' })
        .positional('file', { type: 'string', describe: 'The file with the public key' })
        .example('$0 image key add release minisign.pub', ''),
    handler: (args: Arguments) =>
      withImages(args, io, 'make', async ({ images, organization }) => {
        const text = (await smallFile(String(args['file']), KEY_TEXT_CHARACTERS_MAX)).toString();
        const { key, outcome } = await images.keys.add(
          { name: String(args['name']), text, organization: organization?.id },
          operator(),
        );
        const done = outcome === 'created' ? 'Added' : 'Unchanged:';
        io.stdout.write(`${done} ${key.name}, ${key.keyId} (${key.algorithm})\n`);
      }),
  };
}

function listCommand(io: Io): CommandModule {
  return {
    command: 'list',
    describe: 'List the public keys',
    builder: (argv) =>
      withOrganization(
        argv,
        "Those that hold for this organization's images, by its slug: its own and for all",
      ).option('json', { type: 'boolean', describe: 'Print the keys as JSON' }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organization, organizations }) => {
        const { keys } = await images.keys.holdingFor(organization?.id);
        const view = ({ organization: owner, ...key }: ImageKey) => {
          const slug = ownerText({ organization: owner }, organizations);
          return { ...key, ...(slug !== null && { organization: slug }) };
        };
        if (args['json']) io.stdout.write(`${JSON.stringify(keys.map(view), null, 2)}\n`);
        else if (keys.length === 0) io.stdout.write('No keys yet: ferry image key add NAME FILE adds one.\n');
        else {
          const head = ['Name', 'For', 'Number', 'Kind', 'Added', 'By'];
          const rows = keys.map((key) => [
            key.name,
            ownerText(key, organizations) ?? 'all',
            key.keyId,
            key.algorithm,
            timeText(key.addedAtMs),
            key.addedBy,
          ]);
          io.stdout.write(`${tableText(head, rows, columnsOf(io.stdout))}\n`);
        }
      }),
  };
}

function removeCommand(io: Io): CommandModule {
  return {
    command: 'remove <name>',
    describe: 'Remove a public key: what was signed by it counts as unsigned from then on',
    builder: (argv) =>
      withOrganization(argv, 'Whose key it is, by slug; without, one for all').positional('name', {
        type: 'string',
        describe: 'Its name',
      }),
    handler: (args: Arguments) =>
      withImages(args, io, 'refuse', async ({ images, organization }) => {
        const name = String(args['name']);
        if (!(await images.keys.remove(name, operator(), organization?.id))) {
          throw new CommandError(printable(`There is no key ${name}; ferry image key list shows them.`));
        }
        io.stdout.write(`Removed ${name}.\n`);
      }),
  };
}
