import { stat } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { createLogger, systemClock } from '../../common/index.js';
import { BackupError } from '../backup/format.js';
import { installKey, keyOfBackup } from '../backup/key.js';
import { type KeyOfBackup, restoreBackup, type VerifiedBackup, verifyBackup } from '../backup/restore.js';
import { DATABASE_TIMEOUT_MS } from '../backup/restoring.js';
import {
  type Arguments,
  CommandError,
  INSTALLATION_OPTIONS,
  operator,
  withConfig,
  withInstallation,
} from '../command.js';
import { readConfig } from '../config-sources.js';
import { secretPath } from '../installation.js';
import type { Io } from '../io.js';
import { checkMasterKey } from '../paths.js';
import { progressBar } from '../progress.js';
import { contentText } from './backup.js';

/** An image that was once accepted is accepted again, whatever the bound is by now. */
const IMAGE_MIB_MAX = 65_536;

export function restoreCommand(io: Io): CommandModule {
  return {
    command: 'restore <file>',
    describe: 'Bring an empty installation, on either store, to what a backup holds',
    builder: (argv) =>
      withConfig(argv, INSTALLATION_OPTIONS)
        .positional('file', { type: 'string', describe: 'What ferry backup wrote' })
        .option('overwrite', {
          type: 'boolean',
          describe: 'Delete everything that the target holds first',
        })
        .option('freeze', {
          type: 'boolean',
          describe:
            'Leave upgrades frozen; --no-freeze lets them go on [unless they were at rest when the backup was taken]',
        })
        .option('verify-key', {
          type: 'boolean',
          default: true,
          describe:
            'Check that whoever wrote the file had the master key; --no-verify-key takes what anybody can have changed, and what Ferry wrote before it said so',
        })
        .option('verify-only', {
          type: 'boolean',
          describe: 'Only check that the file is whole and can be restored',
        })
        .example('$0 restore ferry.backup --store mongodb://db1,db2,db3/ferry', 'From one machine to many'),
    async handler(args: Arguments) {
      const path = String(args['file']);
      try {
        const config = await readConfig(args, io.environment);
        await checkMasterKey(config);
        const backup = await verified(path, await keyOf(args, secretPath(config), io), io);
        const summary = contentText(backup.end);
        if (args['verifyOnly']) {
          io.stdout.write(`${path} is whole: ${summary}, of ${backup.header.createdAt}.\n`);
          return;
        }
        await installKey(secretPath(config), backup.header.key ?? null);
        await restore(path, backup, args, io);
        io.stdout.write(`Restored ${summary}.\n`);
        if (isFreezing(args, backup))
          io.stdout.write('Upgrades are frozen: ferry freeze --lift lets them go on.\n');
      } catch (error) {
        throw error instanceof BackupError ? new CommandError(error.message) : error;
      }
    },
  };
}

/** Null where the user does without. */
async function keyOf(args: Arguments, path: string, io: Io): Promise<KeyOfBackup | null> {
  if (args['verifyKey'] === false) {
    io.stderr.write(
      'Not verified with the master key: whoever could write this file can have changed anything in it, users too.\n',
    );
    return null;
  }
  return keyOfBackup(path, () =>
    io.stderr.write(
      'Verified with the master key that the backup brought: it is whole, and nothing shows who wrote it.\n',
    ),
  );
}

async function verified(path: string, keyOf: KeyOfBackup | null, io: Io): Promise<VerifiedBackup> {
  const { size } = await stat(path).catch((error: unknown) => {
    throw new BackupError(
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const bar = progressBar(io, { title: 'Verifying', total: size, unit: 'bytes' });
  try {
    return await verifyBackup(path, keyOf, (sizeBytes) => bar.add(sizeBytes));
  } finally {
    bar.stop();
  }
}

async function restore(path: string, backup: VerifiedBackup, args: Arguments, io: Io): Promise<void> {
  const { documents, images } = backup.end;
  const total = Object.values(documents).reduce((sum, count) => sum + count, images);
  await withInstallation(
    // A restore into an empty store beside the old key is how one comes back.
    { ...args, imageMibMax: IMAGE_MIB_MAX, acceptEmptyStore: true },
    io,
    'make',
    async (installation, config) => {
      const bar = progressBar(io, { title: 'Restoring', total, unit: 'items' });
      try {
        await restoreBackup(path, backup, installation, {
          overwrite: args['overwrite'] === true,
          freeze: isFreezing(args, backup),
          onDocument: () => bar.add(1),
          by: operator(),
          clock: systemClock,
          logger: createLogger({ level: 'error', format: config.logFormat }),
        });
      } finally {
        bar.stop();
      }
    },
    { databaseTimeoutMs: DATABASE_TIMEOUT_MS },
  );
}

function isFreezing(args: Arguments, { end }: VerifiedBackup): boolean {
  return args['freeze'] === undefined ? !end.atRest : args['freeze'] === true;
}
