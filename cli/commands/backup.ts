import { readFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { exists } from '../../common/index.js';
import type { DamageSeen } from '../../store/index.js';
import { type BackupEnd, BackupError } from '../backup/format.js';
import { DATABASE_TIMEOUT_MS } from '../backup/restoring.js';
import { writeBackup } from '../backup/write.js';
import { IMAGE_COLLECTIONS, KEPT_COLLECTIONS } from '../collections.js';
import {
  type Arguments,
  CommandError,
  INSTALLATION_OPTIONS,
  packageVersion,
  withConfig,
  withInstallation,
} from '../command.js';
import { BAD_DOCUMENTS_MAX } from '../deep-check/deep-check.js';
import { type Installation, secretPath } from '../installation.js';
import { countOf, type Io, printable } from '../io.js';
import { progressBar } from '../progress.js';

export function backupCommand(io: Io): CommandModule {
  return {
    command: 'backup <file>',
    describe: 'Write everything that the store and the image library hold to one file',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .positional('file', { type: 'string', describe: 'The file to make; there must be none of that name' })
        .option('images', {
          type: 'boolean',
          default: true,
          describe: 'With the firmware images; --no-images leaves them out',
        })
        .option('include-key', {
          type: 'boolean',
          describe: 'With the master key: whoever has the file can then open every secret in it',
        })
        .option('at-rest', {
          type: 'boolean',
          describe: 'Refuse unless upgrades are frozen and none is under way',
        })
        .option('json', { type: 'boolean', describe: 'Say what was written as JSON' })
        .example('$0 backup ferry-2026-01-31.backup', 'Beside a running server'),
    handler: (args: Arguments) =>
      withInstallation(
        args,
        io,
        'refuse',
        async (installation, config) => {
          const path = String(args['file']);
          if (await exists(path))
            throw new CommandError(`There is a file ${path} already: choose another name.`);
          const images = args['images'] !== false;
          const total = await documentCount(installation.store, images);
          const bar = progressBar(io, { title: 'Backing up', total, unit: 'items' });
          try {
            const end = await writeBackup(path, installation, {
              ferryVersion: packageVersion(),
              images,
              key: args['includeKey'] ? (await readFile(secretPath(config), 'utf8')).trim() : null,
              mustBeAtRest: args['atRest'] === true,
              onDocument: () => bar.add(1),
            });
            bar.stop();
            if (args['json']) {
              io.stdout.write(`${JSON.stringify(end)}\n`);
              refuseDamaged(installation.store.damage);
              return;
            }
            io.stdout.write(`Wrote ${path}: ${contentText(end)}.\n`);
            if (!args['includeKey']) {
              io.stdout.write(
                `Keep ${secretPath(config)} as well: without it the backup cannot be restored.\n`,
              );
            }
            if (!end.atRest) {
              io.stdout.write('Upgrades were not at rest: a restore will leave them frozen.\n');
            }
            refuseDamaged(installation.store.damage);
          } catch (error) {
            bar.stop();
            throw error instanceof BackupError ? new CommandError(error.message) : error;
          }
        },
        { databaseTimeoutMs: DATABASE_TIMEOUT_MS },
      ),
  };
}

/** There is a backup then, of what can be read; who takes one every night should hear of it all the same. */
function refuseDamaged(damage: DamageSeen): void {
  const bad = damage.list();
  if (bad.length === 0) return;
  const named = bad.slice(0, BAD_DOCUMENTS_MAX).map(({ how }) => how);
  throw new CommandError(
    printable(
      [
        `${countOf(bad.length, 'document')} could not be read and ${bad.length === 1 ? 'is' : 'are'} not in the backup:`,
        ...named,
      ].join('\n'),
    ),
  );
}

async function documentCount(store: Installation['store'], images: boolean): Promise<number> {
  let total = 0;
  for (const definition of [...KEPT_COLLECTIONS, ...(images ? IMAGE_COLLECTIONS.slice(0, 1) : [])]) {
    total += await store.collection(definition).count();
  }
  return total;
}

/** How much a backup holds, of all collections together. */
export function contentText({ documents, images }: BackupEnd): string {
  const total = Object.values(documents).reduce((sum, count) => sum + count, 0);
  return `${countOf(total, 'document')}, ${countOf(images, 'image')}`;
}
