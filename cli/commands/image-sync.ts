import type { CommandModule } from 'yargs';
import { createLogger, systemClock } from '../../common/index.js';
import {
  BuildError,
  type BuildPlace,
  type Image,
  ImageError,
  type ImageLibrary,
  imageIdIn,
  SHARED,
  sameDescription,
  toldByFile,
} from '../../firmware/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import { type Arguments, CONFIG_EPILOGUE, CommandError, checkDataDirectory, operator } from '../command.js';
import { parseConfig } from '../config.js';
import { readConfig } from '../config-sources.js';
import { openImages } from '../installation.js';
import { countOf, type Io } from '../io.js';
import type { Config } from '../options.js';
import { organizationsIn } from '../organization-option.js';
import { type ProgressBar, progressBar } from '../progress.js';

const PAGE = 500;
const ONE_PLACE = 'DIRECTORY|mongodb://…';

/** `ferry image sync`: the images of one installation into another, whatever store either has. */
export function syncCommand(io: Io): CommandModule {
  return {
    command: 'sync',
    describe: 'Copy the images of one installation into another; begun again, it goes on where it stopped',
    builder: (argv) =>
      argv
        .option('from', {
          type: 'string',
          requiresArg: true,
          describe: `Where the images are: ${ONE_PLACE} [the installation that the other options name]`,
        })
        .option('to', {
          type: 'string',
          requiresArg: true,
          describe: `Where they are to be: ${ONE_PLACE} [the installation that the other options name]`,
        })
        .option('json', { type: 'boolean', describe: 'Print what was done as JSON' })
        .example('FERRY_STORE=mongodb://… $0 image sync --from ferry-data', 'From one machine to many')
        .epilogue(CONFIG_EPILOGUE),
    async handler(args: Arguments) {
      const config = await readConfig(args, io.environment);
      const [from, to] = [placeOf(args['from'], config), placeOf(args['to'], config)];
      if (from.store === to.store && (from.store !== '' || from.dataDir === to.dataDir)) {
        throw new CommandError('--from and --to are the same installation: give at least one of them.', 2);
      }
      const report = await withLibraries(io, from, to, (source, target) => sync(source, target, io));
      say(report, io, args['json'] === true);
    },
  };
}

function placeOf(place: unknown, config: Config): Config {
  if (place === undefined) return config;
  const at = /^mongodb(\+srv)?:/.test(String(place)) ? { store: place } : { store: '', dataDir: place };
  return parseConfig({ ...config, ...at }, { store: '--from or --to', dataDir: '--from or --to' });
}

async function withLibraries<T>(
  io: Io,
  from: Config,
  to: Config,
  run: (source: Side, target: Side) => Promise<T>,
): Promise<T> {
  const ambient = { clock: systemClock, logger: createLogger({ level: 'error', format: to.logFormat }) };
  await checkDataDirectory(from, io, 'refuse');
  const source = await openImages(from, ambient, 'refuse');
  try {
    await checkDataDirectory(to, io, 'make');
    const target = await openImages(to, ambient, 'make');
    try {
      const [here, there] = await Promise.all([organizationsIn(source.store), organizationsIn(target.store)]);
      return await run(
        { images: source.images, organizations: here },
        { images: target.images, organizations: there },
      );
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** One of the two installations. */
interface Side {
  readonly images: ImageLibrary;
  readonly organizations: OrganizationsNow;
}

/** An image, and what it is there: of the organization that has the same slug, whatever its id. */
interface Copying {
  readonly image: Image;
  /** Of the image there, absent for a shared one. */
  readonly organization?: string;
  /** What the report calls it: its name, after the slug of its organization where it is one's. */
  readonly label: string;
}

interface Report {
  readonly copied: string[];
  readonly unchanged: string[];
  /** Those that are there, but without the signature that they have where they come from. */
  readonly unsigned: { readonly name: string; readonly reason: string }[];
  readonly failed: { readonly name: string; readonly reason: string }[];
}

async function sync(source: Side, target: Side, io: Io): Promise<Report> {
  const report: Report = { copied: [], unchanged: [], unsigned: [], failed: [] };
  const missing: Copying[] = [];
  for await (const image of imagesOf(source.images)) {
    const copying = copyingOf(image, source, target);
    if ('reason' in copying) {
      report.failed.push(copying);
      continue;
    }
    const { label, organization } = copying;
    const there = await target.images.byId(imageIdIn(organization, image.name));
    const isSame = there !== null && there.sha256 === image.sha256 && sameDescription(there, image);
    if (isSame && (await target.images.open(there)) !== null) {
      report.unchanged.push(label);
      await copySignature(copying, target.images, report);
    } else {
      missing.push(copying);
    }
  }
  const total = missing.reduce((sum, { image }) => sum + image.sizeBytes, 0);
  const bar = progressBar(io, { title: 'Copying', total, unit: 'bytes' });
  try {
    for (const copying of missing) {
      const reason = await copy(copying, source.images, target.images, bar);
      if (reason === null) {
        report.copied.push(copying.label);
        await copySignature(copying, target.images, report);
      } else {
        report.failed.push({ name: copying.label, reason });
      }
    }
  } finally {
    bar.stop();
  }
  return report;
}

function copyingOf(image: Image, source: Side, target: Side): Copying | Report['failed'][number] {
  const { name, organization } = image;
  if (organization === undefined) return { image, label: name };
  const slug = source.organizations.labelOf(organization);
  const label = `${slug}/${name}`;
  const there = target.organizations.named(slug);
  if (there !== null) return { image, organization: there.id, label };
  return { name: label, reason: `where it is to be there is no organization ${slug}: add it first` };
}

async function* imagesOf(library: ImageLibrary): AsyncGenerator<Image> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<ImageLibrary['list']>> = await library.list({
      limit: PAGE,
      ...(after !== null && { after }),
    });
    yield* page.items;
    after = page.next;
  } while (after !== null);
}

/** @returns why it could not be copied, or null. @throws StoreError: nothing else could be copied then either */
async function copy(
  { image, organization }: Copying,
  source: ImageLibrary,
  target: ImageLibrary,
  bar: ProgressBar,
): Promise<string | null> {
  const found = await source.open(image);
  if (found === null) return 'its content is damaged where it is to be copied from';
  const content = found.read({ start: 0, end: image.sizeBytes - 1 });
  try {
    const { name, sha256, sizeBytes, uploadedBy, number } = image;
    const { fileType, softwareVersion, productClass, hardwareVersion, boards, unlistedAtMs } = image;
    const metadata = {
      name,
      fileType,
      ...(softwareVersion !== undefined && { softwareVersion }),
      ...(productClass !== undefined && { productClass }),
      ...(hardwareVersion !== undefined && { hardwareVersion }),
      ...(boards !== undefined && { boards }),
    };
    await target.upload({
      metadata,
      ...(organization !== undefined && { organization }),
      content,
      by: operator(),
      asItWas: toldByFile(image),
      uploadedBy,
      sizeBytes,
      sha256,
      ...(number !== undefined && { number }),
      // It waits there anew.
      ...(unlistedAtMs !== undefined && { unlisted: true }),
      ...(await placeThere(image, organization, target)),
    });
    bar.add(sizeBytes);
    return null;
  } catch (error) {
    // Its build has gone or changed meanwhile.
    if (error instanceof BuildError) return error.message;
    if (!(error instanceof ImageError) || error.code === 'no-space') throw error;
    return error.message;
  } finally {
    content.destroy();
  }
}

/**
 * A signature goes along where the key that made it holds there too, also later: keys are not copied, as they say whom that
 * installation trusts. An image that is signed there by
 * a key that holds keeps its own.
 */
async function copySignature(
  { image, organization, label }: Copying,
  target: ImageLibrary,
  report: Report,
): Promise<void> {
  const there = await target.byId(imageIdIn(organization, image.name));
  if (image.signature === undefined || (there !== null && (await target.signing(there)).isSigned)) return;
  try {
    await target.sign(image.name, Buffer.from(image.signature.file, 'base64'), operator(), organization);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'bad-signature') throw error;
    report.unsigned.push({ name: label, reason: error.message });
  }
}

/**
 * Builds are not copied: an image is in one only where that is there and waits for it, as after a restore without images.
 * @param organization  whose image it is to be there
 */
async function placeThere(
  { name, build, type }: Image,
  organization: string | undefined,
  target: ImageLibrary,
): Promise<{ readonly place?: BuildPlace }> {
  if (build === undefined || type === undefined) return {};
  const there = await target.builds.get(build, organization ?? SHARED);
  if (there?.organization !== organization) return {};
  const isAwaited = there?.images.some((each) => each.type === type && each.name === name) === true;
  return isAwaited ? { place: { build, type } } : {};
}

/** @throws CommandError where an image could not be copied */
function say(report: Report, io: Io, asJson: boolean): void {
  const { copied, unchanged, unsigned, failed } = report;
  if (asJson) io.stdout.write(`${JSON.stringify(report)}\n`);
  else io.stdout.write(`Copied ${countOf(copied.length, 'image')}; there already: ${unchanged.length}.\n`);
  if (!asJson && unsigned.length > 0) {
    const lines = unsigned.map(({ name, reason }) => `  ${name}: ${reason}`);
    io.stdout.write(
      `${countOf(unsigned.length, 'image')} without the signature it has where it comes from ` +
        `(ferry image key add adds a key there; then sync again):\n${lines.join('\n')}\n`,
    );
  }
  if (failed.length === 0) return;
  const lines = failed.map(({ name, reason }) => `${name}: ${reason}`);
  throw new CommandError(`${countOf(failed.length, 'image')} not copied:\n${lines.join('\n')}`);
}
