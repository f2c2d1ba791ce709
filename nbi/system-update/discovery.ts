import { modelOf } from '../../rules/index.js';
import { type Answer, jsonAnswer, openFailures, type Route, route } from '../http/index.js';
import {
  COMMON_PATH,
  DEVICE,
  deviceFailures,
  deviceOf,
  SERVICE_PATH,
  type SystemUpdateParts,
} from './parts.js';
import { AUTH_INFO, COMMON_DEFINITION, SERVICES, SYSTEM_UPDATE_DEFINITION } from './service-definitions.js';

/** What clients ask before they do anything: what there is, how to log in, and where its links lead. */
export function discoveryRoutes(parts: SystemUpdateParts): readonly Route[] {
  return [
    openRoute('services', 'listSystemUpdateServices', 'Lists the services that there are', SERVICES, {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'versions'],
        properties: { id: { type: 'string' }, versions: { type: 'array', items: { type: 'string' } } },
      },
    }),
    openRoute('auth_info', 'systemUpdateAuthInfo', 'Tells how to log in', AUTH_INFO, {
      type: 'object',
      required: ['supported_methods'],
      properties: { supported_methods: { type: 'array', items: { type: 'string' } } },
    }),
    definitionRoute(parts, COMMON_PATH, 'commonServiceDefinition', COMMON_DEFINITION),
    definitionRoute(parts, SERVICE_PATH, 'systemUpdateServiceDefinition', SYSTEM_UPDATE_DEFINITION),
    infoRoute(parts),
  ];
}

/**
 * The vendor's client asks for it before it logs in. It is the same for every name, whether or not there is such a CPE: nobody learns of it
 * which there are.
 */
function openRoute(
  name: 'services' | 'auth_info',
  operationId: string,
  summary: string,
  told: unknown,
  schema: object,
): Route {
  return route({
    method: 'GET',
    path: `${COMMON_PATH}/${name}`,
    parameters: [DEVICE],
    role: null,
    concerns: 'everyone',
    operationId,
    summary,
    answers: {
      '200': jsonAnswer('The same for whoever asks', { ...schema }, told),
      ...openFailures('SystemUpdateError'),
    },
    async handle({ response }) {
      response.json(told);
    },
  });
}

function definitionRoute(
  parts: SystemUpdateParts,
  path: typeof COMMON_PATH | typeof SERVICE_PATH,
  operationId: string,
  definition: object,
): Route {
  return route({
    method: 'GET',
    path,
    parameters: [DEVICE],
    role: 'viewer',
    concerns: 'organizations',
    operationId,
    summary: 'Tells where the links of a service lead',
    answers: {
      '200': jsonAnswer('Its definition', { type: 'object' }),
      ...deviceFailures(),
    },
    async handle(exchange) {
      await deviceOf(parts, exchange);
      exchange.response.json(definition);
    },
  });
}

function infoRoute(parts: SystemUpdateParts): Route {
  return route({
    method: 'GET',
    path: `${COMMON_PATH}/info`,
    parameters: [DEVICE],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'systemUpdateDeviceInfo',
    summary: 'Tells what is known of the device',
    answers: { '200': INFO_ANSWER, ...deviceFailures() },
    async handle(exchange) {
      const device = await deviceOf(parts, exchange);
      const { id, serialNumber, hardwareVersion, softwareVersion, ip } = device;
      exchange.response.json({
        device_name: id,
        serial: serialNumber,
        model: modelOf(device),
        hw_version: hardwareVersion ?? '',
        sw_version: softwareVersion ?? '',
        mgmt_addresses: ip === '' ? [] : [ip],
      });
    },
  });
}

const TEXT = { type: 'string' } as const;
const INFO_ANSWER: Answer = jsonAnswer('What the device has told of itself', {
  type: 'object',
  required: ['device_name', 'serial', 'model', 'hw_version', 'sw_version', 'mgmt_addresses'],
  properties: {
    device_name: { ...TEXT, description: 'Its cpeid.' },
    serial: TEXT,
    model: { ...TEXT, description: 'Its ModelName, else its ProductClass.' },
    hw_version: TEXT,
    sw_version: TEXT,
    mgmt_addresses: { type: 'array', items: TEXT, description: 'Where its last Inform came from.' },
  },
});
