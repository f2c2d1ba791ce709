import { IMAGE_STATES, UPDATE_STATES } from './service-definitions.js';

const TEXT = { type: 'string' } as const;

/** The shapes of the API, under `#/components/schemas`. */
export const systemUpdateSchemas = {
  SystemUpdateImage: {
    type: 'object',
    required: ['id', 'state', 'state_description', 'progress'],
    properties: {
      id: { type: 'integer', description: 'Its own, from the beginning of its upload and for good.' },
      state: {
        enum: IMAGE_STATES,
        description:
          'UPLOADING, then VALIDATING, then VALID, or INVALID (state_description says what is wrong with the file); UPLOAD_ERROR: its bytes did not come.',
      },
      state_description: TEXT,
      progress: {
        type: 'integer',
        minimum: 0,
        maximum: 100,
        description: 'Of the upload. 100 also once it has come to nothing: then the state tells.',
      },
      checksum: { ...TEXT, description: 'SHA-256, in hexadecimal.' },
      version: { ...TEXT, description: 'What the device reports once it runs it, where that is known.' },
    },
  },
  SystemUpdate: {
    type: 'object',
    required: ['state', 'state_description', 'last_state_time', 'update_history'],
    properties: {
      state: { enum: UPDATE_STATES },
      state_description: TEXT,
      last_state_time: { type: 'integer', description: 'When it came to be so, in epoch seconds.' },
      target_version: {
        ...TEXT,
        description: 'What the device is, or was, to be updated to, where that is known.',
      },
      update_history: {
        type: 'array',
        description: 'The oldest first: what the device came with, then what it was updated to.',
        items: {
          type: 'object',
          required: ['time'],
          properties: { time: { type: 'integer', description: 'In epoch seconds.' }, version: TEXT },
        },
      },
    },
  },
  SystemUpdateError: {
    type: 'object',
    required: ['error_id', 'error_text'],
    properties: { error_id: TEXT, error_text: TEXT },
  },
} as const;
