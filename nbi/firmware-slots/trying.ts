import { BatchError, type SlotTest } from '../../rollout/index.js';
import { actorOf, type JsonObject } from '../http/index.js';
import { jsonBody } from './body.js';
import { type Call, type Endpoint, method } from './endpoint.js';
import type { Href } from './links.js';
import { FIRMWARE_SLOTS_OPTIONS, type FirmwareSlotsParts } from './parts.js';
import { slotHref } from './slots.js';
import { incompleteBody, invalidBody, messageMissing, testFailed } from './slots-error.js';

const TEST_PATH = '/firmware/test';
const UPGRADE_PATH = '/firmware/upgrade';

const SLOT_ID = {
  type: ['string', 'integer'],
  description: 'The key of a slot.',
} as const;
const LIVE = {
  type: 'boolean',
  description: "Ferry's own: true has the device called first, so that what it runs is read of now.",
} as const;

const TEST_BODY = jsonBody(
  { type: 'object', required: ['slot_id'], properties: { slot_id: SLOT_ID, live: LIVE } },
  { slot_id: '2' },
);
const UPGRADE_BODY = jsonBody(
  {
    type: 'object',
    required: ['slot_id', 'message'],
    properties: {
      slot_id: SLOT_ID,
      message: {
        type: ['string', 'null'],
        description: 'Why. Null where nothing is to be said; under `require-commit-log` something is.',
      },
      live: LIVE,
    },
  },
  { slot_id: '2', message: 'Security fix' },
);

/** `/firmware/test` and `/firmware/upgrade`. */
export function tryingEndpoints({
  deviceSlots,
  firmwareSlots: { requiresCommitLog } = FIRMWARE_SLOTS_OPTIONS,
}: Pick<FirmwareSlotsParts, 'deviceSlots' | 'firmwareSlots'>): readonly Endpoint[] {
  return [
    {
      path: TEST_PATH,
      methods: [
        method<JsonObject>({
          method: 'POST',
          role: 'operator',
          operationId: 'testFirmwareSlot',
          summary: 'Tests whether the device could be upgraded to what stands in a slot',
          body: TEST_BODY,
          answer: { status: 200, description: 'Passed', schema: 'FirmwareSlotTest' },
          fails: ['413', '415'],
          async handle(call) {
            const { device, href, exchange, send } = call;
            const body = await call.body();
            requirePaths(body, ['slot_id']);
            const key = slotKeyIn(body);
            const test = await deviceSlots.test(device, key, { live: isLive(body), signal: exchange.over });
            const meta = { slot: slotHref(href, { key }), upgrade: href(UPGRADE_PATH) };
            send(200, passed(test, { key, path: TEST_PATH, href, meta }));
          },
        }),
      ],
    },
    {
      path: UPGRADE_PATH,
      methods: [
        method<JsonObject>({
          method: 'POST',
          role: 'operator',
          operationId: 'upgradeToFirmwareSlot',
          summary: 'Upgrades the device to what stands in a slot, once the same test is passed',
          description:
            'It answers as soon as the upgrade has begun; a device that is away is upgraded when it comes. Until then after_reboot of the slot is true.',
          body: UPGRADE_BODY,
          answer: { status: 200, description: 'Begun', schema: 'FirmwareSlotTest' },
          fails: ['413', '415', '507'],
          async handle(call) {
            const { href, send } = call;
            const body = await call.body();
            requirePaths(body, ['slot_id', 'message']);
            const key = slotKeyIn(body);
            const note = messageIn(body, requiresCommitLog);
            const test = await upgraded(call, key, note, isLive(body));
            const meta = { slot: slotHref(href, { key }) };
            send(200, passed(test, { key, path: UPGRADE_PATH, href, meta }));
          },
        }),
      ],
    },
  ];

  async function upgraded(
    { device, exchange }: Call<JsonObject>,
    key: string,
    note: string | null,
    live: boolean,
  ): Promise<SlotTest> {
    try {
      return await deviceSlots.upgrade(device, key, {
        live,
        signal: exchange.over,
        note,
        by: actorOf(exchange),
      });
    } catch (error) {
      if (error instanceof BatchError && error.field === 'note') throw invalidBody('message', error.expected);
      throw error;
    }
  }
}

/** @throws SlotsApiError naming each that is not there; null is there */
function requirePaths(body: JsonObject, paths: readonly string[]): void {
  const missing = paths.filter((path) => !Object.hasOwn(body, path));
  if (missing.length > 0) throw incompleteBody(missing);
}

/** @throws SlotsApiError 400 */
function slotKeyIn({ slot_id: id }: JsonObject): string {
  if (typeof id === 'string') return id;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  throw invalidBody('slot_id', 'the key of a slot, as a text or a whole number');
}

/** Null where nothing is said. @throws SlotsApiError 400 */
function messageIn({ message }: JsonObject, isRequired: boolean): string | null {
  if (message !== null && typeof message !== 'string') throw invalidBody('message', 'a text, or null');
  const isSaid = message !== null && message.trim() !== '';
  if (!isSaid && isRequired) throw messageMissing();
  return isSaid ? message : null;
}

function isLive({ live }: JsonObject): boolean {
  return live === true;
}

interface Answering {
  readonly key: string;
  readonly path: string;
  readonly href: Href;
  readonly meta: JsonObject;
}

/** @throws SlotsApiError where it is not */
function passed({ passed: isPassed, lines }: SlotTest, { key, path, href, meta }: Answering): JsonObject {
  const summary = lines.join('\n');
  if (!isPassed) throw testFailed(summary);
  return {
    body: { test_summary: summary },
    key,
    meta: { href: href(path), parent: href('/firmware'), ...meta },
  };
}
