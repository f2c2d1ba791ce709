const META = {
  type: 'object',
  description: 'Links, as paths behind the host.',
  additionalProperties: { type: ['string', 'integer', 'null'] },
} as const;
const KEY = { type: 'string' } as const;

const SLOT_BODY = {
  type: 'object',
  description: 'Empty where the slot is.',
  properties: {
    after_reboot: { type: 'boolean', description: 'An upgrade to it waits for the device, or is under way.' },
    current: { type: 'boolean', description: 'The device runs it.' },
    upgrade_news: { type: 'null' },
    upgrade_notes: { type: 'string', description: 'The changelog of its build.' },
    version: { type: 'string' },
  },
} as const;

const ERROR = {
  type: 'object',
  required: ['details', 'message', 'type'],
  properties: {
    details: { type: 'object' },
    message: { type: 'string' },
    type: { type: 'string' },
  },
} as const;

/** The shapes of the answers, under `#/components/schemas`. */
export const firmwareSlotsSchemas = {
  FirmwareSlotsError: {
    type: 'object',
    required: ['error', 'meta'],
    properties: { error: ERROR, meta: META },
  },
  FirmwareSlotsLinks: { type: 'object', required: ['meta'], properties: { meta: META } },
  FirmwareSlotsList: {
    type: 'object',
    required: ['items', 'meta'],
    properties: {
      items: {
        type: 'array',
        items: { type: 'object', required: ['key', 'meta'], properties: { key: KEY, meta: META } },
      },
      meta: META,
    },
  },
  FirmwareSlot: {
    type: 'object',
    required: ['body', 'key', 'meta'],
    properties: {
      body: SLOT_BODY,
      error: { ...ERROR, description: "Ferry's own: how the last upgrade to it has failed." },
      key: KEY,
      meta: META,
    },
  },
  FirmwareSlotList: {
    type: 'object',
    required: ['items', 'meta'],
    properties: {
      items: { type: 'array', items: { $ref: '#/components/schemas/FirmwareSlot' } },
      meta: META,
    },
  },
  UploadedFirmwareSlot: {
    type: 'object',
    required: ['body', 'key', 'meta'],
    properties: { body: SLOT_BODY, key: KEY, meta: META },
  },
  FirmwareSlotTest: {
    type: 'object',
    required: ['body', 'key', 'meta'],
    properties: {
      body: {
        type: 'object',
        required: ['test_summary'],
        properties: { test_summary: { type: 'string', description: 'A line for each thing looked at.' } },
      },
      key: KEY,
      meta: META,
    },
  },
  FirmwareFetch: {
    type: 'object',
    required: ['meta'],
    properties: {
      body: {
        type: 'object',
        required: ['checksum', 'error', 'slot_id', 'state', 'url'],
        properties: {
          checksum: { type: ['object', 'null'], properties: { sha256: { type: 'string' } } },
          error: { type: ['string', 'null'], description: 'Why it has failed.' },
          slot_id: { type: ['string', 'null'], description: 'The slot that it is for, or stands in.' },
          state: { enum: ['queued', 'in-progress', 'finished', 'failed', 'cancelled'] },
          url: { type: 'string' },
        },
      },
      key: KEY,
      meta: META,
    },
  },
  FirmwareFetchList: {
    type: 'object',
    required: ['items', 'meta'],
    properties: {
      items: { type: 'array', items: { $ref: '#/components/schemas/FirmwareFetch' } },
      meta: META,
    },
  },
} as const;
