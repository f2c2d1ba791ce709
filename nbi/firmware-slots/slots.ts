import type { Slot, SlotFailure } from '../../rollout/index.js';
import { actorOf, type JsonObject } from '../http/index.js';
import { type Endpoint, method } from './endpoint.js';
import type { Href, Meta } from './links.js';
import type { FirmwareSlotsParts } from './parts.js';
import { noResource } from './slots-error.js';

export const SLOTS_PATH = '/firmware/slots';

/** `/firmware/slots` and each of them. */
export function slotEndpoints({ deviceSlots }: Pick<FirmwareSlotsParts, 'deviceSlots'>): readonly Endpoint[] {
  return [
    {
      path: SLOTS_PATH,
      methods: [
        method({
          method: 'GET',
          role: 'viewer',
          operationId: 'listFirmwareSlots',
          summary: 'Lists the firmware slots of the device; the body of an empty one is empty',
          answer: { status: 200, description: 'The slots', schema: 'FirmwareSlotList' },
          async handle({ device, href, send }) {
            const slots = await deviceSlots.of(device);
            const { parent: _, ...around } = metaAmong(slots, null, href);
            send(200, {
              items: slots.map((slot) => ({ ...slotItem(slot), meta: { href: slotHref(href, slot) } })),
              meta: { ...around, href: href(SLOTS_PATH), parent: href('/firmware') },
            });
          },
        }),
      ],
    },
    {
      path: `${SLOTS_PATH}/{id}`,
      methods: [
        method({
          method: 'GET',
          role: 'viewer',
          operationId: 'readFirmwareSlot',
          summary: 'Tells what stands in a slot',
          answer: { status: 200, description: 'The slot', schema: 'FirmwareSlot' },
          async handle({ device, key, href, send }) {
            const slots = await deviceSlots.of(device);
            const slot = slots.find((each) => each.key === key);
            if (slot === undefined) throw noResource(SLOTS_PATH, key);
            send(200, { ...slotItem(slot), meta: metaAmong(slots, slot, href) });
          },
        }),
        method({
          method: 'DELETE',
          role: 'operator',
          operationId: 'emptyFirmwareSlot',
          summary: 'Empties a slot, but for the current one and the one after reboot (403)',
          description: 'The image stays in the library, and what the device itself keeps stays there.',
          answer: { status: 200, description: 'Emptied', schema: 'FirmwareSlotsLinks' },
          fails: ['507'],
          async handle({ device, key, href, exchange, send }) {
            await deviceSlots.clear(device, key, actorOf(exchange));
            send(200, { meta: { href: slotHref(href, { key }), parent: href(SLOTS_PATH) } });
          },
        }),
      ],
    },
  ];
}

/** What stands in a slot; nothing where it is empty. */
export function slotBody({ content, current, afterReboot }: Slot): JsonObject {
  if (content === null) return {};
  return {
    after_reboot: afterReboot,
    current,
    upgrade_news: null,
    upgrade_notes: content.notes,
    version: content.version,
  };
}

function slotItem(slot: Slot): JsonObject {
  const { key, failure } = slot;
  return { body: slotBody(slot), ...(failure !== null && { error: failureView(failure) }), key };
}

const FAILURES: Readonly<Record<SlotFailure['stage'], { readonly type: string; readonly message: string }>> =
  {
    failed: { type: 'UpgradeFailed', message: 'The upgrade to this firmware has failed' },
    'not-heard-of': {
      type: 'UpgradeTimedOut',
      message: 'The device was not heard of again after the upgrade to this firmware',
    },
    refused: { type: 'FirmwareTestFailed', message: 'The firmware test failed' },
  };

/** Beside its body, as the last upgrade to it has ended otherwise than it should. */
function failureView({ stage, code, reason, text }: SlotFailure): JsonObject {
  const { type, message } = FAILURES[stage];
  return { details: { fault_code: code, reason, text }, message, type };
}

export function slotHref(href: Href, { key }: Pick<Slot, 'key'>): string {
  return href(`${SLOTS_PATH}/${key}`);
}

/** Links to the slots around one; of all of them nothing is before or behind. */
function metaAmong(slots: readonly Slot[], slot: Slot | null, href: Href): Meta {
  const at = slot === null ? -1 : slots.indexOf(slot);
  const to = (each: Slot | undefined) => (each === undefined ? null : slotHref(href, each));
  return {
    first: to(slots[0]),
    href: slot === null ? href(SLOTS_PATH) : slotHref(href, slot),
    last: to(slots.at(-1)),
    next: slot === null ? null : to(slots[at + 1]),
    parent: href(SLOTS_PATH),
    previous: slot === null ? null : to(slots[at - 1]),
  };
}
