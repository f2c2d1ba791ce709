import type { Turn } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import {
  closedQuery,
  LongList,
  queryParameter,
  type Route,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { CODES } from './codes.js';
import { answerSchema, answers, PREFIX } from './dialect.js';
import { FIRMWARE_SCHEMA, firmwareView } from './firmware-view.js';
import { NUMBER, required } from './number-parameter.js';
import type { CloudParts } from './parts.js';
import { ANY, type ProductOfImage, Products } from './products.js';
import { sendLong } from './send-long.js';

const PAGE_ITEMS = 100;
const HARDWARE_CHARACTERS_MAX = 256;

/** `GET /sc_cloud/scapi/get-all-firmwares` */
export function firmwaresRoute({ images, reading }: CloudParts): Route {
  return route({
    method: 'GET',
    path: `${PREFIX}/scapi/get-all-firmwares`,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'scCloudFirmwares',
    summary: 'Lists the firmware for a family of devices, a model of it, a hardware version',
    description: 'What an image does not say it is for any of; with dev-type 0 alone all are listed.',
    query: closedQuery(
      {
        ...queryParameter('dev-type', 'The number of a family: `module` of a device; 0: any.', NUMBER),
        required: true,
      },
      queryParameter('product-id', 'The number of a model: `product-id` of a device; 0: any.', {
        ...NUMBER,
        default: ANY,
      }),
      queryParameter('hardware-ver', 'A hardware version, as a device shows it; empty: any.', {
        type: 'string',
        maxLength: HARDWARE_CHARACTERS_MAX,
        default: '',
        expected: `at most ${HARDWARE_CHARACTERS_MAX} characters`,
      }),
    ),
    answers: answers('The firmware', answerSchema({ firmwares: { type: 'array', items: FIRMWARE_SCHEMA } }), {
      concerns: 'organizations',
    }),
    async handle(exchange) {
      const { query } = exchange;
      const family = required(query['dev-type'], 'dev-type', NUMBER.expected);
      const products = new Products(images);
      const wanted = { family, model: query['product-id'], hardware: query['hardware-ver'] };
      const firmwares = async function* (turn: Turn) {
        for await (const image of listedImages(images, scopeOf(exchange), turn)) {
          const product = await products.ofImage(image);
          if (mayBeFor(product, wanted, products)) yield firmwareView(image, product, products);
        }
      };
      await sendLong(reading, exchange, async (turn) => ({
        result: CODES.done,
        firmwares: new LongList(firmwares(turn)),
      }));
    },
  });
}

/** What devices somebody asks for, by numbers. */
interface Wanted {
  readonly family: number;
  readonly model: number;
  readonly hardware: string;
}

/**
 * Whether an image may be for such devices: what it does not say keeps it from none. Devices of any model may have its product class, which is
 * looked at when it is to be sent.
 */
function mayBeFor(
  { family, model, hardware, isModelClass }: ProductOfImage,
  wanted: Wanted,
  products: Products,
): boolean {
  return (
    (family === '' || products.has('family', family, wanted.family)) &&
    (model === '' || isModelClass || products.has('model', model, wanted.model)) &&
    (hardware === '' || wanted.hardware === '' || hardware === wanted.hardware)
  );
}

/** The images that somebody sees, have a number, and do not wait to be added. */
async function* listedImages(
  images: ImageLibrary,
  { organization }: Scope,
  turn: Turn,
): AsyncGenerator<Image, void> {
  const whose = organization === null ? {} : { organization: organization.id };
  let after: string | null | undefined;
  while (after !== null) {
    const from = after === undefined ? {} : { after };
    const page = await turn(() => images.list({ limit: PAGE_ITEMS, ...whose, ...from }));
    for (const image of page.items)
      if (image.number !== undefined && image.unlistedAtMs === undefined) yield image;
    after = page.next;
  }
}
