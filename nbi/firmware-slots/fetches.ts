import { SOURCE_URL_CHARACTERS_MAX } from '../../firmware/index.js';
import type { SlotFetch } from '../../rollout/index.js';
import { actorOf, isObject, type JsonObject } from '../http/index.js';
import { freeName, storedName } from '../images/index.js';
import { jsonBody } from './body.js';
import { type Endpoint, method } from './endpoint.js';
import type { Href } from './links.js';
import type { FirmwareSlotsParts } from './parts.js';
import { slotHref } from './slots.js';
import { incompleteBody, invalidBody, noResource } from './slots-error.js';
import { ownerOf } from './upload.js';

const FETCH_PATH = '/firmware/fetch';
const SHA256 = /^[0-9A-Fa-f]{64}$/;

const BODY = jsonBody(
  {
    type: 'object',
    required: ['url'],
    properties: {
      url: {
        type: 'string',
        maxLength: SOURCE_URL_CHARACTERS_MAX,
        description: 'Of http or https; only from where `--image-sources` permits it.',
      },
      checksum: {
        type: 'object',
        required: ['sha256'],
        properties: { sha256: { type: 'string', pattern: SHA256.source } },
        description: 'What the file must hash to; it may be left out.',
      },
    },
  },
  { url: 'https://images.example.net/hgw-2.0.0.bin', checksum: { sha256: 'ab'.repeat(32) } },
);

/** `/firmware/fetch` and each of them. */
export function fetchEndpoints({
  deviceSlots,
  images,
}: Pick<FirmwareSlotsParts, 'deviceSlots' | 'images'>): readonly Endpoint[] {
  return [
    {
      path: FETCH_PATH,
      methods: [
        method({
          method: 'GET',
          role: 'viewer',
          operationId: 'listFirmwareFetches',
          summary: 'Lists what was told to be fetched into slots, the oldest first',
          answer: { status: 200, description: 'The fetches', schema: 'FirmwareFetchList' },
          async handle({ device, href, send }) {
            const fetches = await deviceSlots.fetches(device);
            send(200, {
              items: fetches.map((each) => fetchView(each, href)),
              meta: { href: href(FETCH_PATH), parent: href('/firmware') },
            });
          },
        }),
        method<JsonObject>({
          method: 'POST',
          role: 'operator',
          operationId: 'fetchFirmwareToSlot',
          summary: 'Fetches a firmware file into an empty slot, in the background',
          body: BODY,
          answer: { status: 202, description: 'Begun', schema: 'FirmwareFetch' },
          fails: ['409', '413', '415', '507'],
          async handle(call) {
            const { device, exchange, href, send } = call;
            const { url, sha256 } = askedIn(await call.body());
            const name = await freeName(images, storedName(fileNameIn(url)), ownerOf(device, exchange));
            const fetch = await deviceSlots.beginFetch(device, { url, sha256, name }, actorOf(exchange));
            send(202, fetchView(fetch, href));
          },
        }),
      ],
    },
    {
      path: `${FETCH_PATH}/{key}`,
      methods: [
        method({
          method: 'GET',
          role: 'viewer',
          operationId: 'readFirmwareFetch',
          summary: 'Tells how far a fetch is',
          answer: { status: 200, description: 'The fetch', schema: 'FirmwareFetch' },
          async handle({ device, key, href, send }) {
            const fetch = (await deviceSlots.fetches(device)).find((each) => each.key === key);
            if (fetch === undefined) throw noResource(FETCH_PATH, key);
            send(200, fetchView(fetch, href));
          },
        }),
        method({
          method: 'DELETE',
          role: 'operator',
          operationId: 'dropFirmwareFetch',
          summary:
            'Cancels a fetch that has not ended, which stays in the list; takes out of it one that has',
          answer: { status: 200, description: 'Cancelled, or taken out', schema: 'FirmwareFetch' },
          fails: ['507'],
          async handle({ device, key, href, exchange, send }) {
            const fetch = await deviceSlots.dropFetch(device, key, actorOf(exchange));
            const meta = { href: href(`${FETCH_PATH}/${key}`), parent: href(FETCH_PATH) };
            send(200, fetch === null ? { meta } : fetchView(fetch, href));
          },
        }),
      ],
    },
  ];
}

function fetchView({ key, url, sha256, state, slot, problem }: SlotFetch, href: Href): JsonObject {
  return {
    body: {
      checksum: sha256 === null ? null : { sha256 },
      error: problem,
      slot_id: slot,
      state,
      url,
    },
    key,
    meta: {
      href: href(`${FETCH_PATH}/${key}`),
      parent: href(FETCH_PATH),
      ...(slot !== null && { slot: slotHref(href, { key: slot }) }),
    },
  };
}

/** @throws SlotsApiError 400 */
function askedIn(body: JsonObject): { readonly url: string; readonly sha256: string | null } {
  if (!Object.hasOwn(body, 'url')) throw incompleteBody(['url']);
  const { url, checksum = null } = body;
  if (typeof url !== 'string' || url.length > SOURCE_URL_CHARACTERS_MAX)
    throw invalidBody('url', `a URL of http or https, of at most ${SOURCE_URL_CHARACTERS_MAX} characters`);
  if (checksum === null) return { url, sha256: null };
  // One that is of another algorithm would not be checked, though somebody counts on it.
  if (!isObject(checksum) || !Object.hasOwn(checksum, 'sha256')) throw incompleteBody(['checksum.sha256']);
  const { sha256 } = checksum;
  if (typeof sha256 !== 'string' || !SHA256.test(sha256))
    throw invalidBody('checksum.sha256', '64 hexadecimal digits');
  return { url, sha256: sha256.toLowerCase() };
}

/** What stands behind the last slash of its path. */
function fileNameIn(url: string): string {
  const [path = ''] = url.split(/[?#]/, 1);
  return path.slice(path.lastIndexOf('/') + 1);
}
