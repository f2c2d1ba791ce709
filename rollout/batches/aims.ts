import type { Device, Devices } from '../../acs/index.js';
import type { CpeId, OrganizationId, Turn } from '../../common/index.js';
import { type Build, type ImageLibrary, noBuild } from '../../firmware/index.js';
import { belongsTo, type Organization } from '../../organizations/index.js';
import type { Change } from '../../store/index.js';
import type { OperationImage, OperationReason, Operations } from '../operations/index.js';
import type { Batch } from './batch.js';
import { MeantImages } from './batch-rules.js';
import { PORTION } from './batch-store.js';
import { namedCpes } from './named-cpes.js';
import type { BatchTarget, BuildTargets } from './targets.js';

/** By what CPEs are found, and what they are to get. */
export interface AimsParts {
  readonly images: Pick<ImageLibrary, 'get' | 'builds'>;
  readonly devices: Pick<Devices, 'get' | 'scan' | 'withSerialNumber' | 'isWaiting' | 'organizations'>;
  readonly operations: Pick<Operations, 'of'>;
  readonly buildTargets: BuildTargets;
}

/** One CPE of a batch, as it is about to be stored. */
export interface Aim {
  readonly cpeid: CpeId;
  readonly organization?: OrganizationId;
  readonly image: OperationImage | null;
  /** Nothing will be sent to it. */
  readonly skipped?: { readonly reason: OperationReason; readonly detail?: string };
  /** Goes into the same commit. */
  readonly along: readonly Change[];
}

/** Changes that CPEs of a portion bring along, together: beside them there is room for all else. */
const ALONG_MAX = 1_500;

/** Where the CPEs of a batch come from. */
export class Aims {
  readonly #parts: AimsParts;
  readonly #images: MeantImages;
  readonly #batch: Batch;

  constructor(parts: AimsParts, batch: Batch) {
    this.#parts = parts;
    this.#images = new MeantImages(parts.images);
    this.#batch = batch;
  }

  /** Those that somebody has named, in that order. */
  async *ofList(image: string, names: AsyncIterable<string> | Iterable<string>) {
    const organization = await this.#organization();
    for await (const some of inPortions(names)) yield await this.#named(image, organization, some);
  }

  /** All that are known, under the identities that they go by now. */
  async *ofAll(image: string, turn: Turn) {
    const organization = await this.#organization();
    // Not all of the default's are in the index.
    const filter = organization === null || organization.isDefault ? {} : { organization: organization.id };
    for await (const some of inPortions(this.#parts.devices.scan(filter, turn))) {
      const meant = await this.#images.named(image, this.#batch.organization);
      yield some
        .filter((device) => device.supersededBy === undefined)
        .filter((device) => organization === null || belongsTo(organization, device.organization?.id))
        .map((device) => this.#aimAt(device, meant));
    }
  }

  /** The devices of a build. */
  ofBuild(build: Build, firmwareless: boolean, turn: Turn) {
    const { id, organization } = this.#batch;
    const within = organization ?? null;
    return this.ofTargets(
      this.#parts.buildTargets.targetsOf(build, { batch: id, firmwareless, within }, turn),
    );
  }

  /** Those that are looked at already. */
  async *ofTargets(targets: AsyncIterable<BatchTarget>) {
    for await (const some of inPortions(targets, ({ along = [] }) => along.length)) {
      const devices = new Map<string, Device>();
      for await (const device of this.#parts.devices.scan({ ids: some.map(({ cpeid }) => cpeid) }))
        devices.set(device.id, device);
      const whyNot = await this.#images.whyNot(
        some.map(({ image }) => image),
        this.#batch.organization,
      );
      yield some.map(({ cpeid, image, skipped, detail, along = [] }): Aim => {
        const organization = devices.get(cpeid)?.organization?.id ?? this.#batch.organization;
        const reason = skipped ?? whyNot.get(image.number) ?? null;
        return {
          cpeid,
          ...(organization !== undefined && { organization }),
          image,
          ...(reason !== null && {
            skipped: { reason, ...(detail !== undefined && reason === skipped && { detail }) },
          }),
          along,
        };
      });
    }
  }

  /** Whose CPEs alone it is for; null: everybody's. */
  async #organization(): Promise<Organization | null> {
    const { organization } = this.#batch;
    if (organization === undefined) return null;
    const now = await this.#parts.devices.organizations();
    const found = now.get(organization);
    if (found === null) throw new Error(`There is no organization ${organization} any more`);
    return found;
  }

  async #named(
    image: string,
    organization: Organization | null,
    names: readonly string[],
  ): Promise<readonly Aim[]> {
    const meant = await this.#images.named(image, this.#batch.organization);
    const found = await namedCpes(this.#parts.devices, organization, names);
    const aims: Aim[] = [];
    const before = new Set<CpeId>();
    for (const each of found) {
      if (each.kind === 'none') {
        const { reason, detail } = each;
        aims.push(this.#skipped(each.named, meant, reason, detail));
        continue;
      }
      const { named, device } = each;
      const { id } = device;
      // An old identity has nothing of its own: named first it stands for the CPE, and where that was named before it is told.
      const isTold = named !== id && (before.has(id) || (await this.#isThere(id)));
      before.add(id);
      aims.push(
        isTold
          ? this.#skipped(named, meant, 'duplicate', `the same device as ${id}`)
          : this.#aimAt(device, meant),
      );
    }
    return aims;
  }

  /** Whether a portion before has brought this CPE. */
  async #isThere(cpeid: CpeId): Promise<boolean> {
    return (await this.#parts.operations.of(this.#batch.id, cpeid)) !== null;
  }

  #aimAt(device: Device, image: OperationImage | null): Aim {
    const organization = device.organization?.id;
    const reason = this.#parts.devices.isWaiting(device)
      ? 'not-enrolled'
      : image === null
        ? 'image-missing'
        : null;
    return {
      cpeid: device.id,
      ...(organization !== undefined && { organization }),
      image,
      ...(reason !== null && { skipped: { reason } }),
      along: [],
    };
  }

  /** One that there is no device for: it is shown to whoever the batch belongs to. */
  #skipped(
    cpeid: CpeId,
    image: OperationImage | null,
    reason: OperationReason,
    detail: string | undefined,
  ): Aim {
    const { organization } = this.#batch;
    return {
      cpeid,
      ...(organization !== undefined && { organization }),
      image,
      skipped: { reason, ...(detail !== undefined && { detail }) },
      along: [],
    };
  }
}

/** The build that a batch sends; null: it sends one image. @throws BuildError */
export async function buildOf(
  parts: { readonly images: Pick<ImageLibrary, 'builds'> },
  { what }: Pick<Batch, 'what'>,
): Promise<Build | null> {
  if (!('build' in what)) return null;
  const build = await parts.images.builds.get(what.build, null);
  if (build === null) throw noBuild();
  return build;
}

/** So many at a time as go into one commit. */
async function* inPortions<T>(
  items: AsyncIterable<T> | Iterable<T>,
  along: (item: T) => number = () => 0,
): AsyncGenerator<readonly T[]> {
  let portion: T[] = [];
  let changes = 0;
  for await (const item of items) {
    portion.push(item);
    changes += along(item);
    if (portion.length < PORTION && changes < ALONG_MAX) continue;
    yield portion;
    portion = [];
    changes = 0;
  }
  if (portion.length > 0) yield portion;
}
