import { Counter } from 'prom-client';
import { HOUR_MS, MINUTE_MS, Rounds } from '../../common/index.js';
import { createDownloadLocator, createFileServer } from '../../firmware/index.js';
import { fileAuth, publicUrls } from '../file-urls.js';
import type { Building } from './building.js';
import { AUTH_SCHEMES, isProxyOf, listen, publicHost } from './listeners.js';

/** As often as what is incoming grows old enough to be removed. */
const CLEANED_EVERY_MS = 10 * MINUTE_MS;
/** A few failures are no alarm, and nothing is in a hurry. */
const CLEANED_MS_MAX = 3 * HOUR_MS;

/** Removes now, and every ten minutes, what nobody needs of images any more. */
export async function keepImagesClean({ installation, ambient, duties, closers }: Building): Promise<void> {
  const { images, uploads } = installation;
  const cleanUp = async () => images.cleanUp(await uploads.contentFiles());
  const done = duties.expect({ id: 'imageCleaning', ageMsMax: CLEANED_MS_MAX });
  await cleanUp();
  done();
  // What a crash left behind where nobody can tell whose it was is still too young to be told from an upload under way.
  const cleaning = setInterval(() => {
    cleanUp()
      .then(done)
      .catch((error: unknown) => ambient.logger.error('images.clean-up-failed', { error }));
  }, CLEANED_EVERY_MS);
  cleaning.unref();
  closers.push(async () => clearInterval(cleaning));
  keepUploadsGoing({ installation, ambient, closers });
}

/** Has what processes that died left of uploads taken up, every minute and now; nobody waits for it. */
function keepUploadsGoing({
  installation: { uploads },
  ambient: { logger },
  closers,
}: Pick<Building, 'installation' | 'ambient' | 'closers'>): void {
  const run = () =>
    uploads.cleanUp().catch((error: unknown) => logger.error('uploads.clean-up-failed', { error }));
  const rounds = new Rounds({ everyMs: MINUTE_MS, run });
  const first = run();
  closers.push(async () => {
    await rounds.stop();
    await first;
    await uploads.close();
  });
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
  connections,
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
    schemes: AUTH_SCHEMES[config.cpeAuthScheme],
    clock,
    logger,
    onEvent(event) {
      if (event.kind === 'ended') downloads.inc({ outcome: event.outcome });
      if (event.kind === 'refused') downloads.inc({ outcome: 'refused' });
    },
    onRefused: (reason) => refused.inc({ listener: 'files', reason }),
    connections: { inAllMax: connections.files, isShared: isProxyOf(config) },
  });
  const at = await listen(files.server, config.fileListen, 'file-listen');
  closers.push(() => files.close());
  const publicUrl = publicUrls(config, `http://${publicHost(at)}:${at.port}`);
  return { at, locator: createDownloadLocator({ secrets, publicUrl, auth, library }) };
}
