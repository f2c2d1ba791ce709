import type { Device, Devices } from '../../acs/index.js';
import type { Turn } from '../../common/index.js';
import { type NamedCpe, namedCpes } from '../../rollout/index.js';
import {
  closedQuery,
  isWithin,
  LongList,
  queryParameter,
  type Route,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { CODES } from './codes.js';
import { DEVICE_SCHEMA, deviceView, EVERYTHING } from './device-view.js';
import { answerSchema, answers, CloudError, PREFIX } from './dialect.js';
import { NUMBER, required } from './number-parameter.js';
import type { CloudParts } from './parts.js';
import { ANY, Products } from './products.js';
import { fileProgress, NO_FILE, outcomeOf } from './progress.js';
import { sendLong } from './send-long.js';

const SN_EXPECTED = 'the serial number of a device, or its cpeid';

/** `GET /sc_cloud/scapi/get-devs` */
export function devicesRoute(parts: CloudParts): Route {
  const { devices, images, reading, clock } = parts;
  return route({
    method: 'GET',
    path: `${PREFIX}/scapi/get-devs`,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'scCloudDevices',
    summary: 'Lists the devices, by cpeid',
    description:
      'Those that wait to be approved are in no list here. The list has no pages: it is read while it is sent.',
    query: closedQuery(
      queryParameter('id', 'The number of a group: there is 0 alone, which has all.', {
        ...NUMBER,
        default: EVERYTHING,
      }),
      queryParameter('module', 'The number of a family; 0: any.', { ...NUMBER, default: ANY }),
    ),
    answers: answers('The devices', answerSchema({ devs: { type: 'array', items: DEVICE_SCHEMA } }), {
      concerns: 'organizations',
    }),
    async handle(exchange) {
      const { id: group, module } = exchange.query;
      const products = new Products(images);
      const shown = async function* (turn: Turn) {
        if (group !== EVERYTHING) return;
        for await (const device of seenDevices(devices, scopeOf(exchange), turn)) {
          if (products.has('family', device.manufacturer, module))
            yield deviceView(device, await progressOf(parts, device), products, clock());
        }
      };
      await sendLong(reading, exchange, async (turn) => ({
        result: CODES.done,
        devs: new LongList(shown(turn)),
      }));
    },
  });
}

/** `GET /sc_cloud/scapi/get-dev` */
export function deviceRoute({ devices, images, cpeUpgrades, clock }: CloudParts): Route {
  return route({
    method: 'GET',
    path: `${PREFIX}/scapi/get-dev`,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'scCloudDevice',
    summary: 'Shows a device, how far its upgrade is, and how the last has ended',
    query: closedQuery({ ...queryParameter('sn', SN_EXPECTED), required: true }),
    answers: answers(
      'The device; details tell of its upgrade: 0 while nothing is wrong',
      answerSchema({ dev: DEVICE_SCHEMA, details: DETAILS_SCHEMA }),
      { concerns: 'organizations' },
    ),
    async handle(exchange) {
      const { response, query } = exchange;
      const sn = required(query.sn, 'sn', SN_EXPECTED);
      const device = await namedDevice(devices, scopeOf(exchange), sn);
      const now = await cpeUpgrades.now(device.id);
      const dev = deviceView(device, fileProgress(now.running), new Products(images), clock());
      response.json({ result: CODES.done, dev, details: [{ sn, ...outcomeOf(now) }] });
    },
  });
}

/** What has become of each device. */
export const DETAILS_SCHEMA = {
  type: 'array',
  items: {
    type: 'object',
    required: ['sn', 'result'],
    properties: {
      sn: { type: 'string', description: 'As it was asked for.' },
      result: {
        type: 'integer',
        description: '0: nothing is wrong. 1: it was done already. Below 0: why not.',
      },
      message: { type: 'string' },
    },
  },
} as const;

/** Why a name stands for no device that may be upgraded; null: it stands for one. */
export function whyNone(devices: Pick<Devices, 'isWaiting'>, named: NamedCpe): CloudError | null {
  if (named.kind === 'cpe')
    return devices.isWaiting(named.device)
      ? new CloudError(CODES.notEnrolled, 'sn', 'a device that was approved: this one waits for that')
      : null;
  switch (named.reason) {
    case 'unknown-device':
      return new CloudError(CODES.noDevice, 'sn', SN_EXPECTED);
    case 'ambiguous-device':
      return new CloudError(
        CODES.ambiguousDevice,
        'sn',
        `the cpeid: ${named.detail ?? 'several devices have it'}`,
      );
    default:
      return named.reason satisfies never;
  }
}

/** @throws CloudError where none is, or several are, or it waits to be approved */
async function namedDevice(devices: Devices, { organization }: Scope, sn: string): Promise<Device> {
  const [named] = await namedCpes(devices, organization, [sn]);
  const refusal = named === undefined ? null : whyNone(devices, named);
  if (refusal !== null) throw refusal;
  if (named?.kind !== 'cpe') throw new CloudError(CODES.noDevice, 'sn', SN_EXPECTED);
  return named.device;
}

/** Those whose upgrade runs are few, and alone looked up. */
async function progressOf({ cpeUpgrades }: CloudParts, { id, inFlight }: Device) {
  return inFlight === undefined ? NO_FILE : fileProgress((await cpeUpgrades.now(id)).running);
}

/** Under the identities that they go by now. */
async function* seenDevices(devices: Devices, scope: Scope, turn: Turn): AsyncGenerator<Device, void> {
  const { organization } = scope;
  // Not all of the default's are in the index.
  const filter = organization === null || organization.isDefault ? {} : { organization: organization.id };
  for await (const device of devices.scan(filter, turn)) {
    const isHidden = device.supersededBy !== undefined || devices.isWaiting(device);
    if (!isHidden && isWithin(scope, device.organization?.id)) yield device;
  }
}
