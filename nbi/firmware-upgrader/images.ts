import type { Build, Image, ImageUuids } from '../../firmware/index.js';
import { buildInPath, imageOf, imagesOf } from './build-images.js';
import { imageFormBody } from './image-form.js';
import { inUpgraderWords } from './library-errors.js';
import {
  absoluteUrl,
  type Call,
  type Endpoint,
  type Field,
  type Filter,
  fieldsBody,
  filtered,
  fullPath,
  type ListSource,
  noObject,
  type Ordering,
  requireOwn,
  timeText,
} from './manners/index.js';
import type { EndpointContext } from './parts.js';
import { upload } from './upload.js';

const MODEL = 'FirmwareImage';
const ORDERING: Ordering = { keys: ['type', 'created', 'modified'], byDefault: '-created' };

/** An image, wherever the API shows one. */
export function imageFields({ options }: EndpointContext): readonly Field[] {
  return [
    { name: 'id', kind: 'id', readOnly: true },
    { name: 'created', kind: 'time', readOnly: true },
    { name: 'modified', kind: 'time', readOnly: true },
    { name: 'file', kind: 'file', required: true },
    {
      name: 'type',
      kind: 'choice',
      isOpen: true,
      required: true,
      mayBeBlank: true,
      choices: options.types.all.map(({ type, label }) => ({ value: type, label })),
    },
    { name: 'build', kind: 'reference', readOnly: true },
  ];
}

/** `build/{build}/image/` and `build/{build}/image/{id}/`. */
export function imageEndpoints(context: EndpointContext): readonly Endpoint[] {
  const { images } = context;
  const fields = imageFields(context);
  const types = context.options.types.all.map(({ type }) => type);
  const filters: readonly Filter[] = [
    { name: 'type', kind: 'choice', choices: types, description: 'Which devices it is for.' },
  ];
  const requireChangeable = async (call: Call) =>
    requireOwn(call.asking, (await buildInPath(images, call)).organization);
  return [
    {
      path: 'build/{build}/image/',
      name: 'Firmware Image List',
      fields,
      list: { filters, ordering: ORDERING },
      methods: {
        GET: {
          operationId: 'listUpgraderImages',
          summary: 'Lists the images of a build',
          answers: { '200': 'A page of them', '400': 'A filter is wrong' },
          async handle(call) {
            const build = await buildInPath(images, call);
            const { type } = await filtered(filters, call.request.originalUrl, {});
            await call.sendList(sourceOf(context, build, type), ORDERING, (image) =>
              imageView(context, call, image),
            );
          },
        },
        POST: {
          operationId: 'addUpgraderImage',
          summary: 'Uploads an image into a build, by a form with its `file` and its `type`, in any order',
          body: imageFormBody(fieldsBody(fields, false), types),
          answers: {
            '201': 'It',
            '400': 'The form is wrong: by field what is wrong with it',
            '413': 'The form is too large',
            '415': 'The Content-Type is another than the call takes',
            '507': 'There is no room for it',
          },
          async handle(call) {
            const build = await buildInPath(images, call);
            requireOwn(call.asking, build.organization);
            call.send(201, imageView(context, call, await upload(context, fields, build, call)));
          },
        },
      },
      requireChangeable,
    },
    {
      path: 'build/{build}/image/{id}/',
      name: 'Firmware Image Detail',
      fields,
      methods: {
        GET: {
          operationId: 'getUpgraderImage',
          summary: 'Tells what is known of an image of a build',
          answers: { '200': 'It' },
          handle: async (call) =>
            call.send(200, imageView(context, call, (await found(context, call)).image)),
        },
        DELETE: {
          operationId: 'deleteUpgraderImage',
          summary: 'Deletes an image; what upgrades made of it goes along, operations stay',
          answers: { '204': 'Deleted', '507': 'The disk, or the database, is full' },
          handle: (call) => remove(context, call),
        },
      },
      requireChangeable,
    },
  ];
}

/** An image as the API shows it. One without a number is not shown before it has one. */
export function imageView(
  { imageUuids }: { readonly imageUuids: ImageUuids },
  call: Pick<Call, 'request'>,
  image: Image,
) {
  const { number = 0, uploadedAtMs, type = '', build = '' } = image;
  const id = imageUuids.of(number);
  const created = timeText(uploadedAtMs);
  const path = fullPath({ path: `build/${build}/image/${id}/download/` });
  return { id, created, modified: created, file: absoluteUrl(call.request, path), type, build };
}

function sourceOf(
  { images, imageUuids }: EndpointContext,
  build: Build,
  type: string | undefined,
): ListSource<Image> {
  const idOfImage = ({ number = 0 }: Image) => imageUuids.of(number);
  // All are looked through to be sorted, and those of the page are taken of the same.
  let listed: Promise<readonly Image[]> | null = null;
  const all = () => {
    listed ??= imagesOf(images, build);
    return listed;
  };
  return {
    idOf: idOfImage,
    sortedBy: ({ type: text = '', uploadedAtMs }, key) => (key === 'type' ? text : uploadedAtMs),
    async *scan() {
      for (const image of await all()) if (type === undefined || image.type === type) yield image;
    },
    async read(ids) {
      return (await all()).filter((image) => ids.includes(idOfImage(image)));
    },
  };
}

/** @throws UpgraderError 404 */
async function found(
  context: EndpointContext,
  call: Call,
): Promise<{ readonly build: Build; readonly image: Image }> {
  const build = await buildInPath(context.images, call);
  const image = await imageOf(context, build, call.parameters['id'] ?? '');
  if (image === null) throw noObject(MODEL);
  return { build, image };
}

async function remove(context: EndpointContext, call: Call): Promise<void> {
  const { images, uses } = context;
  const { build, image } = await found(context, call);
  const { by } = call.asking;
  requireOwn(call.asking, build.organization);
  await call.change(async (turn) => {
    await uses.forget({ kind: 'image', build, image }, by, turn);
    const isGone = await inUpgraderWords(() => images.remove(image.name, by, image.organization), {
      model: MODEL,
    });
    if (!isGone) throw noObject(MODEL);
  });
  call.send(204);
}
