import type { Device } from '../../acs/index.js';
import {
  ApiError,
  actorOf,
  type Exchange,
  jsonAnswer,
  type Parameter,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { requireUnnamed } from '../images/index.js';
import { comingView, imageAnswer, imageView } from './image-view.js';
import { type KnownImage, knownImage, knownImages } from './known-images.js';
import { DEVICE, deviceFailures, deviceOf, SERVICE_PATH, type SystemUpdateParts } from './parts.js';

export const IMAGES_PATH = `${SERVICE_PATH}/images` as const;
const IMAGE_PATH = `${IMAGES_PATH}/items/{id}` as const;
const NUMBER = /^[1-9]\d{0,8}$/;

const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The number of an image, which it has for good and from the beginning of its upload.',
  schema: { type: 'integer', minimum: 1, maximum: 999_999_999 },
} as const satisfies Parameter;

/** `images` and `images/items/{id}`. */
export function imageRoutes(parts: SystemUpdateParts): readonly Route[] {
  return [listRoute(parts), itemRoute(parts), deleteRoute(parts)];
}

function listRoute(parts: SystemUpdateParts): Route {
  return route({
    method: 'GET',
    path: IMAGES_PATH,
    parameters: [DEVICE],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listSystemUpdateImages',
    summary: 'Lists the images that the device could be updated to, with those on their way',
    description:
      'Those of the organization of the device and shared ones, as far as they fit it; of more than 1,000 the newest. What came to nothing is told for 24 hours.',
    answers: {
      '200': jsonAnswer('All of them', {
        type: 'object',
        required: ['items'],
        properties: { items: { type: 'array', items: ref('SystemUpdateImage') } },
      }),
      ...deviceFailures(),
    },
    async handle(exchange) {
      const device = await deviceOf(parts, exchange);
      const items = await parts.reading.long(exchange, (turn) => knownImages(parts, device, turn));
      exchange.response.json({ items });
    },
  });
}

function itemRoute(parts: SystemUpdateParts): Route {
  return route({
    method: 'GET',
    path: IMAGE_PATH,
    parameters: [DEVICE, ID],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'getSystemUpdateImage',
    summary: 'Tells of one image',
    answers: { '200': imageAnswer('It'), ...deviceFailures() },
    async handle(exchange) {
      const { known } = await found(parts, exchange);
      exchange.response.json(known.kind === 'image' ? imageView(known.image) : comingView(known.upload));
    },
  });
}

function deleteRoute(parts: SystemUpdateParts): Route {
  const { images, rules, uploads, fitting, reading } = parts;
  return route({
    method: 'DELETE',
    path: IMAGE_PATH,
    parameters: [DEVICE, ID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'deleteSystemUpdateImage',
    summary: 'Deletes an image; one on its way is cancelled',
    description:
      'Not while an enabled rule names it, and not what is shared, where the user is of an organization (409).',
    answers: { '204': { description: 'Deleted' }, ...deviceFailures('409', '507') },
    async handle(exchange) {
      const { device, known } = await found(parts, exchange);
      const scope = scopeOf(exchange);
      const by = actorOf(exchange);
      if (known.kind === 'coming') {
        const { id, state } = known.upload;
        const within = await fitting.organizationOf(device);
        const isOnItsWay = state === 'uploading' || state === 'validating';
        if (isOnItsWay) await uploads.cancel(id, within, by);
        else await uploads.forget(id, within, by);
      } else {
        const { image } = known;
        requireOwn(image, scope);
        await reading.long(exchange, (turn) =>
          requireUnnamed([image], { rules, images }, { scope, turn, remedy: '' }),
        );
        if (!(await images.remove(image.name, by, image.organization))) throw noImage();
      }
      exchange.response.status(204).end();
    },
  });
}

/** @throws ApiError 404 */
async function found(
  parts: SystemUpdateParts,
  exchange: Exchange<'device' | 'id'>,
): Promise<{ readonly device: Device; readonly known: KnownImage }> {
  const device = await deviceOf(parts, exchange);
  const { id } = exchange.parameters;
  const known = NUMBER.test(id) ? await knownImage(parts, device, Number(id)) : null;
  if (known === null) throw noImage();
  return { device, known };
}

function noImage(): ApiError {
  return new ApiError(404, [
    { field: 'id', expected: 'the number of an image that there is for the device' },
  ]);
}

/** @throws ApiError 409 for what the user does not own; whoever asks sees it, so it is no secret that there is one */
function requireOwn({ organization }: { readonly organization?: string }, scope: Scope): void {
  if (scope.organization === null || organization === scope.organization.id) return;
  const expected = "an image of the organization itself: this one is the installation's, shared by all";
  throw new ApiError(409, [{ field: 'id', code: 'shared', expected }]);
}
