import { type Approvals, type Devices, UnknownCpeError } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import { idsMeant } from '../dyn/index.js';
import {
  ApiError,
  actorOf,
  failures,
  invalid,
  jsonAnswer,
  objectBody,
  type Route,
  route,
  type Scope,
  scopeOf,
  shortJson,
} from '../http/index.js';
import { FILTER_VALUES_MAX } from '../limits.js';
import { methodDialect, sendAnswer } from './dialect.js';
import { detailsSchema } from './rule-request.js';

export interface ApproveParts {
  readonly devices: Devices;
  readonly approvals: Pick<Approvals, 'approve'>;
}

/** `POST /v1/method/ApproveDevices` */
export function approveDevicesRoute({ approvals, devices }: ApproveParts): Route {
  return route({
    method: 'POST',
    path: '/v1/method/ApproveDevices',
    role: 'operator',
    concerns: 'organizations',
    operationId: 'approveDevices',
    summary: 'Enrols CPEs that wait (enrolment in DeviceStorage)',
    description:
      'Those that have not been heard of are named: with --enrol known they are enrolled when they come, with --enrol approve they wait then as any. Each is approved for itself; to approve the same again changes nothing. For an organization all must be CPEs that are known and belong to it; else none is approved (404).',
    body: objectBody({
      required: ['cpe_id'],
      properties: { cpe_id: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] } },
      others: 'only cpe_id',
      example: { cpe_id: ['00A1B2-HGW-1'] },
    }),
    answers: {
      '200': jsonAnswer(
        'How many were approved',
        detailsSchema(COUNTS),
        methodDialect.answer({
          code: 200,
          message: 'OK',
          details: { approved: 0, named: 1, enrolled: 0 },
        }),
      ),
      ...failures('MethodAnswer', '404', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { cpe_id: given } = await exchange.body();
      const scope = scopeOf(exchange);
      const details = await approvals
        .approve(await cpeidsOf(given, devices, scope), actorOf(exchange), scope.organization)
        .catch((error: unknown) => {
          throw error instanceof UnknownCpeError ? unknownCpe(error) : error;
        });
      sendAnswer(exchange.response, { code: 200, message: 'OK', details });
    },
  });
}

const COUNTS = {
  type: 'object',
  required: ['approved', 'named', 'enrolled'],
  properties: {
    approved: { type: 'integer', description: 'They waited, and do so no more.' },
    named: { type: 'integer', description: 'Not heard of yet.' },
    enrolled: { type: 'integer', description: 'Enrolled already.' },
  },
} as const;

function unknownCpe({ cpeid }: UnknownCpeError): ApiError {
  return new ApiError(404, [
    { field: 'cpe_id', expected: 'ids of CPEs that are known', found: shortJson(cpeid) },
  ]);
}

/**
 * Serial numbers stand for CPEs that are known.
 * @throws ApiError 400, 409 where one is of several
 */
async function cpeidsOf(
  given: unknown,
  devices: ApproveParts['devices'],
  scope: Scope,
): Promise<readonly CpeId[]> {
  const listed: readonly unknown[] = Array.isArray(given) ? given : [given];
  const names = listed.filter((each) => typeof each === 'string');
  if (names.length === 0 || names.length < listed.length || names.length > FILTER_VALUES_MAX)
    throw notCpes(given);
  const ids: CpeId[] = [];
  for (const name of names) {
    const id = (await idsMeant(devices, scope, [name])).at(-1);
    if (id === undefined || !devices.isId(id)) throw notCpes(given);
    ids.push(id as CpeId);
  }
  return ids;
}

function notCpes(given: unknown): ApiError {
  const expected = `the id of a CPE as DeviceStorage shows it, the serial number of one that is known, or an array of 1 to ${FILTER_VALUES_MAX}`;
  return invalid('cpe_id', expected, given);
}
