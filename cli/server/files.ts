import { Counter } from 'prom-client';
import { HOUR_MS } from '../../common/index.js';
import { createDownloadLocator, createFileServer } from '../../firmware/index.js';
import { fileAuth, publicUrls } from '../file-urls.js';
import type { Building } from './building.js';
import { listen, publicHost } from './listeners.js';

/** Removes now, and every hour, what nobody needs of images any more. */
export async function keepImagesClean({ installation, ambient, closers }: Building): Promise<void> {
  const { images } = installation;
  await images.cleanUp();
  // After a quick restart what a crash left behind is still too young to be told from an upload under way.
  const cleaning = setInterval(() => {
    images.cleanUp().catch((error: unknown) => ambient.logger.error('images.clean-up-failed', { error }));
  }, HOUR_MS);
  cleaning.unref();
  closers.push(async () => clearInterval(cleaning));
}

/**
 * Starts the listener that CPEs download from, and gives what finds the file of a rule.
 * @throws ListenError
 */
export async function startFileServer({
  config,
  ambient,
  installation,
  registry,
  refused,
  closers,
}: Building) {
  const { clock, logger } = ambient;
  const { secrets, images: library } = installation;
  const auth = fileAuth(config);
  const downloads = new Counter({
    name: 'ferry_downloads_total',
    help: 'Requests to the file server, by outcome: complete, aborted, refused',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const files = createFileServer({
    library,
    secrets,
    // Only the paths of configured URLs matter here; the default has none.
    publicUrl: publicUrls(config, 'http://localhost'),
    auth,
    clock,
    logger,
    onEvent(event) {
      if (event.kind === 'ended') downloads.inc({ outcome: event.outcome });
      if (event.kind === 'refused') downloads.inc({ outcome: 'refused' });
    },
    onRefused: (reason) => refused.inc({ listener: 'files', reason }),
  });
  const at = await listen(files.server, config.fileListen, 'file-listen');
  closers.push(() => files.close());
  const publicUrl = publicUrls(config, `http://${publicHost(at)}:${at.port}`);
  return { at, locator: createDownloadLocator({ secrets, publicUrl, auth, library }) };
}
