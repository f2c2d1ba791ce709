import type { Device } from '../../acs/index.js';
import { type Image, type ImageLibrary, type ProductKind, productOf } from '../../firmware/index.js';
import { modelOf } from '../../rules/index.js';

/** What devices something is, or is for: family and model by name, the hardware as it is reported. Empty: nothing is said. */
export interface Product {
  readonly family: string;
  readonly model: string;
  readonly hardware: string;
}

/** Of a CPE: its manufacturer, its ModelName (else ProductClass), its HardwareVersion. */
export function productOfDevice(device: Device): Product {
  const { manufacturer, hardwareVersion = '' } = device;
  return { family: manufacturer, model: modelOf(device), hardware: hardwareVersion };
}

export function isSameProduct(one: Product, other: Product): boolean {
  return one.family === other.family && one.model === other.model && one.hardware === other.hardware;
}

/** Whether an image is for a device, as far as both say what they are; boards are looked at once it is sent. */
export function isFor(image: Product, device: Device): boolean {
  const { family, model, hardware } = productOfDevice(device);
  return (
    (image.family === '' || image.family === family) &&
    (image.model === '' || image.model === model || image.model === device.productClass) &&
    (image.hardware === '' || image.hardware === hardware)
  );
}

/** Builds of which an answer of any length remembers what they are for; then it looks them up anew. */
const REMEMBERED_MAX = 1_000;
/** Stands for what nothing is said of, and in questions for whatever. */
export const ANY = 0;

/** What an image is for, and the version that it brings; empty where nothing says it. */
export interface ProductOfImage extends Product {
  readonly version: string;
  /** The model is what CPEs report as ProductClass, whatever ModelName they have beside it. */
  readonly isModelClass: boolean;
}

/** What the build of an image says of it. */
type OfBuild = Pick<ProductOfImage, 'family' | 'model' | 'version'>;

/** Families and models by their numbers, and what images are for, as one answer asks for them. */
export class Products {
  readonly #images: Pick<ImageLibrary, 'builds'>;
  readonly #builds = new Map<string, OfBuild>();

  constructor(images: Pick<ImageLibrary, 'builds'>) {
    this.#images = images;
  }

  /** The number of a name; {@link ANY} for none. */
  numberOf(kind: ProductKind, name: string): number {
    return name === '' ? ANY : this.#images.builds.numbers.numberOf(kind, name);
  }

  /** Whether a name has a number; with {@link ANY} each has. */
  has(kind: ProductKind, name: string, number: number): boolean {
    return number === ANY || this.numberOf(kind, name) === number;
  }

  /** As the build of an image says, else as the image does. */
  async ofImage(image: Image): Promise<ProductOfImage> {
    const { build, productClass = '', softwareVersion = '', hardwareVersion = '', fromFile = [] } = image;
    // What a file says of the hardware is the vendor's own number, and none that CPEs report.
    const hardware = fromFile.includes('hardwareVersion') ? '' : hardwareVersion;
    const own = { family: '', model: productClass, hardware, version: softwareVersion, isModelClass: true };
    if (build === undefined) return own;
    const { family, model, version } = await remembered(this.#builds, build, () => this.#ofBuild(build));
    return {
      family,
      model: model || own.model,
      hardware,
      version: own.version || version,
      isModelClass: model === '',
    };
  }

  async #ofBuild(id: string): Promise<OfBuild> {
    const { builds } = this.#images;
    const build = await builds.get(id, null);
    const category =
      build === null ? null : await builds.categories.find(build.category, build.organization ?? null);
    if (build === null || category === null) return { family: '', model: '', version: '' };
    const { productFamily, productModel } = productOf(build, category);
    return { family: productFamily ?? '', model: productModel ?? '', version: build.version };
  }
}

async function remembered<T>(known: Map<string, T>, key: string, find: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = await find();
  if (known.size >= REMEMBERED_MAX) known.clear();
  known.set(key, found);
  return found;
}
