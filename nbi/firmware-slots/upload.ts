import type { Device } from '../../acs/index.js';
import type { Image } from '../../firmware/index.js';
import { isEmptySlot, noEmptySlot } from '../../rollout/index.js';
import { actorOf, type FileForm, formBody, scopeOf } from '../http/index.js';
import { checkFormSize, freeName, otherName, sameAs, storedName } from '../images/index.js';
import { type Call, type Endpoint, method } from './endpoint.js';
import type { FirmwareSlotsParts } from './parts.js';
import { slotBody, slotHref } from './slots.js';
import { incompleteBody } from './slots-error.js';

const UPLOAD_PATH = '/upload/firmware';
const FILE_FIELD = 'firmware';

type UploadParts = Pick<FirmwareSlotsParts, 'deviceSlots' | 'images' | 'uploads' | 'places'>;

/** `/upload/firmware` */
export function uploadEndpoint(parts: UploadParts): Endpoint {
  const { deviceSlots, uploads } = parts;
  return {
    path: UPLOAD_PATH,
    methods: [
      method<FileForm>({
        method: 'POST',
        role: 'operator',
        operationId: 'uploadFirmwareToSlot',
        summary: 'Uploads a firmware file into an empty slot: a form whose field `firmware` has the file',
        body: formBody([], FILE_FIELD),
        answer: { status: 201, description: 'Uploaded', schema: 'UploadedFirmwareSlot' },
        fails: ['409', '413', '415', '422', '507'],
        async handle(call) {
          const { device, exchange, href, send } = call;
          checkFormSize(uploads, exchange.request);
          // Before any of it has come.
          if (!(await deviceSlots.of(device)).some(isEmptySlot)) throw noEmptySlot();
          const image = await uploaded(parts, call, await call.body());
          const slot = await deviceSlots.put(device, image, actorOf(exchange));
          send(201, {
            body: slotBody(slot),
            key: slot.key,
            meta: {
              href: href(UPLOAD_PATH),
              number_of_empty_slots: (await deviceSlots.of(device)).filter(isEmptySlot).length,
              slot: slotHref(href, slot),
              test: href('/firmware/test'),
              upgrade: href('/firmware/upgrade'),
            },
          });
        },
      }),
    ],
  };
}

/** The image that a form has brought; one that has the same bytes already, where there is one. @throws ApiError, ImageError, UploadError */
async function uploaded(
  { images, uploads, places }: UploadParts,
  { device, exchange }: Call<FileForm>,
  { fileField, fileName, content }: FileForm,
): Promise<Image> {
  if (fileField !== FILE_FIELD) {
    content.destroy();
    throw incompleteBody([FILE_FIELD]);
  }
  const by = actorOf(exchange);
  const owner = ownerOf(device, exchange);
  const name = await freeName(images, storedName(fileName), owner);
  const outcome = await places.run(by.name, exchange.over, () =>
    uploads.upload({
      metadata: { name },
      otherName,
      ...(owner !== undefined && { organization: owner }),
      content,
      by,
      uploadedBy: by.name,
    }),
  );
  const same = await sameAs(images, outcome, owner);
  if (same === null) return outcome.image;
  // It is to stand in a slot, and so must be given up no more; where it is gone already the one that came stays.
  if (same.unlistedAtMs !== undefined && (await images.unlisted.list(same.name, by, owner)) === null)
    return outcome.image;
  // What others say of these bytes is worth more than what nobody has said: theirs it is.
  await images.remove(outcome.image.name, by, owner);
  return same;
}

/** The id of the device's organization; absent: the default, and nobody has made that yet. */
export function ownerOf(device: Device, exchange: Parameters<typeof scopeOf>[0]): string | undefined {
  return scopeOf(exchange).organizations.of(device.organization)?.id;
}
