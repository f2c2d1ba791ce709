import type { Device, Devices } from '../../acs/index.js';
import type { Clock, Turn } from '../../common/index.js';
import { FIRMWARE_FILE_TYPE, type Image, type ImageLibrary } from '../../firmware/index.js';
import type { DecisionInput, ImageFacts, Rules } from '../../rules/index.js';
import { PAGE_ITEMS_MAX } from '../../store/index.js';

export interface FittingImagesParts {
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'describe' | 'organizations'>;
  readonly images: Pick<ImageLibrary, 'list' | 'withNumber' | 'signing'>;
  readonly rules: Pick<Rules, 'whyNotFitting'>;
  /** Whether nothing is sent that is not signed. */
  readonly requiresSignature: boolean;
}

/** What a CPE could be updated to. */
export class FittingImages {
  readonly #parts: FittingImagesParts;

  constructor(parts: FittingImagesParts) {
    this.#parts = parts;
  }

  /** The id of the organization whose images a CPE is sent, beside the shared ones; null: it is sent these alone. */
  async organizationOf({ organization }: Pick<Device, 'organization'>): Promise<string | null> {
    return (await this.#parts.devices.organizations()).of(organization)?.id ?? null;
  }

  /** By which it is told whether something fits a CPE; null for one that is not known any more. */
  async fitOf({ id }: Pick<Device, 'id'>): Promise<((facts: ImageFacts) => Promise<string | null>) | null> {
    const described = await this.#parts.devices.describe(id, { nowMs: this.#parts.clock() });
    if (described === null) return null;
    const input: DecisionInput = described.input;
    return (facts) => this.#parts.rules.whyNotFitting(facts, input);
  }

  /**
   * The firmware that fits a CPE, of its organization and shared, in the order of names. Looks at every image of these.
   * @param turn  when each page is read
   */
  async *of(device: Device, turn: Turn = (work) => work()): AsyncGenerator<Image, void> {
    const organization = await this.organizationOf(device);
    const whyNot = await this.fitOf(device);
    if (whyNot === null) return;
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<ImageLibrary['list']>> = await turn(() =>
        this.#parts.images.list({
          limit: PAGE_ITEMS_MAX,
          ...(after !== null && { after }),
          ...(organization !== null && { organization }),
        }),
      );
      for (const image of page.items) {
        // Of everybody's images the shared ones come first.
        if (organization === null && image.organization !== undefined) return;
        if (isOffered(image) && (await whyNot(image)) === null) yield image;
      }
      after = page.next;
    } while (after !== null);
  }

  /** The one of these that has a number; null where none has. */
  async withNumber(device: Device, number: number): Promise<Image | null> {
    const image = await this.#parts.images.withNumber(number);
    if (image === null || !isOffered(image)) return null;
    if (image.organization !== undefined && image.organization !== (await this.organizationOf(device)))
      return null;
    const whyNot = await this.fitOf(device);
    return whyNot !== null && (await whyNot(image)) === null ? image : null;
  }

  /** The one of these that came last, of those that would be sent; null where there is none. */
  async newest(device: Device, turn?: Turn): Promise<Image | null> {
    let newest: Image | null = null;
    for await (const image of this.of(device, turn)) {
      const isFirst = newest === null || isNewer(image, newest);
      if (isFirst && (await this.whyNotSent(image)) === null) newest = image;
    }
    return newest;
  }

  /** Why one of these would be sent to nobody, in words; null: it would be. */
  async whyNotSent(image: Image): Promise<string | null> {
    if (!this.#parts.requiresSignature) return null;
    const signing = await this.#parts.images.signing(image);
    return signing.isSigned ? null : signing.detail;
  }
}

/** Firmware that can be named, and does not wait for somebody to say what it is for. */
function isOffered({ fileType, number, unlistedAtMs }: Image): boolean {
  return fileType === FIRMWARE_FILE_TYPE && number !== undefined && unlistedAtMs === undefined;
}

/** Ties go by number, so that all nodes take the same. */
function isNewer(one: Image, other: Image): boolean {
  return (
    one.uploadedAtMs > other.uploadedAtMs ||
    (one.uploadedAtMs === other.uploadedAtMs && (one.number ?? 0) > (other.number ?? 0))
  );
}
