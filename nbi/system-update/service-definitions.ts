/**
 * The names and versions of the services that there are, as clients ask for them first. Of packet capture there is the name alone: without
 * it the vendor's client ends before it has asked for anything else (`steelscript/appresponse/core/capture.py`).
 */
export const SERVICES = [
  { id: 'common', versions: ['1.0'] },
  { id: 'npm.packet_capture', versions: ['1.0'] },
  { id: 'npm.system_update', versions: ['2.0'] },
] as const;

/**
 * How a client may log in. OAuth stands there twice: as the documentation of these APIs writes it, and as the vendor's client looks for it
 * (`steelscript/common/service.py`).
 */
export const AUTH_INFO = { supported_methods: ['BASIC', 'COOKIE', 'OAUTH2.0', 'OAUTH_2_0'] } as const;

/** The format of definitions that the vendor's client reads (`reschema`). */
const SCHEMA = 'http://support.riverbed.com/apis/service_def/2.2';

const TEXT = { type: 'string' } as const;
const WHOLE = { type: 'integer' } as const;

/** What clients resolve the links of `common` from. */
export const COMMON_DEFINITION = {
  $schema: SCHEMA,
  id: 'http://support.riverbed.com/apis/common/1.0',
  provider: 'riverbed',
  name: 'common',
  version: '1.0',
  title: 'Common',
  description: 'What there is, and how to log in',
  resources: {
    services: {
      type: 'array',
      description: 'The services that there are',
      items: {
        type: 'object',
        properties: { id: TEXT, versions: { type: 'array', items: TEXT } },
      },
      links: {
        self: { path: '$/services' },
        get: { method: 'GET', response: { $ref: '#/resources/services' } },
      },
    },
    auth_info: {
      type: 'object',
      description: 'The ways to log in',
      properties: { supported_methods: { type: 'array', items: TEXT } },
      links: {
        self: { path: '$/auth_info' },
        get: { method: 'GET', response: { $ref: '#/resources/auth_info' } },
      },
    },
    info: {
      type: 'object',
      description: 'What is known of the device',
      properties: {
        device_name: TEXT,
        serial: TEXT,
        model: TEXT,
        hw_version: TEXT,
        sw_version: TEXT,
        mgmt_addresses: { type: 'array', items: TEXT },
      },
      links: {
        self: { path: '$/info' },
        get: { method: 'GET', response: { $ref: '#/resources/info' } },
      },
    },
    login: {
      type: 'object',
      description: 'Begins a session, which a cookie names',
      properties: { username: TEXT, password: TEXT },
      links: {
        self: { path: '$/login' },
        login: { method: 'POST', request: { $ref: '#/resources/login' } },
      },
    },
    logout: {
      type: 'null',
      description: 'Ends the session',
      links: { self: { path: '$/logout' }, logout: { method: 'POST' } },
    },
    token: {
      type: 'object',
      description: 'Gives a bearer for an access code',
      properties: { access_token: TEXT, token_type: TEXT, expires_in: WHOLE, state: TEXT },
      links: {
        self: { path: '$/oauth/token' },
        create: { method: 'POST', response: { $ref: '#/resources/token' } },
      },
    },
  },
} as const;

export const IMAGE_STATES = ['UPLOADING', 'VALIDATING', 'UPLOAD_ERROR', 'VALID', 'INVALID'] as const;
export const UPDATE_STATES = [
  'IDLE',
  'INITIALIZING',
  'INITIALIZED',
  'RUNNING',
  'FAILED_GRACEFUL',
  'FAILED_CRITICAL',
] as const;

/** What clients resolve the links of `npm.system_update` from: they know them by name alone. */
export const SYSTEM_UPDATE_DEFINITION = {
  $schema: SCHEMA,
  id: 'http://support.riverbed.com/apis/npm.system_update/2.0',
  provider: 'riverbed',
  name: 'npm.system_update',
  version: '2.0',
  title: 'Software Update Service',
  description: 'Images, and the update of the device',
  resources: {
    image: {
      type: 'object',
      description: 'Information about the update image',
      properties: {
        id: { ...WHOLE, readOnly: true, description: 'A unique identifier for the image' },
        checksum: { ...TEXT, description: 'The SHA-256 checksum of the update image' },
        progress: { type: 'number', description: 'The progress of the current upload/fetch operation' },
        state: { ...TEXT, enum: IMAGE_STATES, description: 'The state of the update image' },
        state_description: { ...TEXT, description: 'A more detailed description of the state' },
        version: { ...TEXT, description: 'The version of the update image' },
      },
      required: ['state', 'state_description'],
      links: {
        self: { path: '$/images/items/{id}' },
        get: { method: 'GET', response: { $ref: '#/resources/image' } },
        delete: { method: 'DELETE' },
      },
    },
    images: {
      type: 'object',
      description: 'List of update images',
      properties: {
        items: {
          type: 'array',
          description: 'An array containing the available update images',
          items: { $ref: '#/resources/image' },
        },
      },
      links: {
        self: { path: '$/images' },
        get: { method: 'GET', response: { $ref: '#/resources/images' } },
        fetch: {
          path: '$/images/fetch',
          method: 'POST',
          request: { type: 'object', properties: { url: TEXT, version: TEXT }, required: ['url'] },
          response: { $ref: '#/resources/image' },
        },
        upload: {
          path: '$/images/upload',
          method: 'POST',
          description: 'The body is the file itself',
          response: { $ref: '#/resources/image' },
        },
      },
    },
    update: {
      type: 'object',
      description: 'The overall status of the update',
      properties: {
        state: { ...TEXT, enum: UPDATE_STATES, description: 'The state of the update' },
        state_description: { ...TEXT, description: 'A more detailed description of the state' },
        last_state_time: {
          ...WHOLE,
          description: 'The time of the last state transition, in Unix epoch seconds',
        },
        target_version: { ...TEXT, description: 'The version the system will be updated to' },
        update_history: {
          type: 'array',
          description: 'A list of past updates. The first element of the list is an installation',
          items: {
            type: 'object',
            description: 'Information about a previous update',
            properties: {
              time: { ...WHOLE, description: 'The time of the update, in Unix epoch seconds' },
              version: { ...TEXT, description: 'The version that was installed' },
            },
          },
        },
      },
      required: ['state', 'state_description', 'last_state_time', 'update_history'],
      links: {
        self: { path: '$/update' },
        get: { method: 'GET', response: { $ref: '#/resources/update' } },
        init: { path: '$/update/init', method: 'POST' },
        start: { path: '$/update/start', method: 'POST' },
        reset: { path: '$/update/reset', method: 'POST' },
      },
    },
  },
} as const;
