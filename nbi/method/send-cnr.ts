import type { Asked, ConnectionRequestOutcome, ConnectionRequests, Devices } from '../../acs/index.js';
import type { CpeId, Turn } from '../../common/index.js';
import type { EventLog } from '../../events/index.js';
import {
  deviceStorage,
  EVERY_ID,
  type FieldFilter,
  filterFromJson,
  idsMeant,
  readSelected,
  type Selection,
  selectEntries,
} from '../dyn/index.js';
import {
  ApiError,
  actorOf,
  type Exchange,
  failures,
  invalid,
  isWithin,
  type JsonObject,
  jsonAnswer,
  objectBody,
  type Reading,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
  shortJson,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { type MethodAnswer, OK, sendAnswer } from './dialect.js';

export interface SendCnrParts {
  readonly devices: Devices;
  readonly connectionRequests: ConnectionRequests;
  readonly events: EventLog;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

/** `POST /v1/method/SendCNR` */
export function sendCnrRoute(parts: SendCnrParts): Route {
  return route({
    method: 'POST',
    path: '/v1/method/SendCNR',
    role: 'operator',
    concerns: 'organizations',
    operationId: 'sendConnectionRequest',
    summary: 'Asks CPEs to start a session',
    description:
      'Options are cpe_id (or the serial number of one CPE) or any field of DeviceStorage, by equality (an array: any of). Where several CPEs match (at most 1,000), result is the worst of them and details tells them one by one.',
    body: objectBody({
      required: ['search_options'],
      properties: {
        search_options: {
          type: 'object',
          minProperties: 1,
          expected: 'an object with cpe_id or a field of DeviceStorage',
        },
      },
      others: 'no field beside search_options',
      example: { search_options: { cpe_id: '00A1B2-HGW-1' } },
    }),
    answers: {
      '200': jsonAnswer('Every CPE that matched has answered', ref('MethodAnswer'), OK),
      ...failures('MethodAnswer', '404', '409', '413', '415', '502', '504', '507'),
    },
    async handle(exchange) {
      const { search_options: options } = await exchange.body();
      sendAnswer(exchange.response, await sendCnr(options, parts, exchange));
    },
  });
}

/**
 * Sends a connection request to every CPE that the search options match.
 * @param exchange  who asks; once nobody waits for the answer no further CPE is called
 * @throws ApiError 400 no such field or too many CPEs, 404 no CPE matches, 409 a serial number is of several
 */
async function sendCnr(
  options: JsonObject,
  { devices, connectionRequests, events, limits, reading }: SendCnrParts,
  exchange: Exchange,
): Promise<MethodAnswer> {
  const by = actorOf(exchange);
  const scope = scopeOf(exchange);
  const search = { devices, reading, max: limits.connectionRequestsMax };
  const cpeids = await matchingCpes(options, search, scope, exchange);
  const asked: Asked = {
    only: (device) => isWithin(scope, device.organization?.id),
    noting: (device) =>
      events.noting({
        action: 'called',
        subject: 'device',
        subjectId: device.id,
        organization: scope.organizations.idOf(device.organization?.id),
        by,
      }),
  };
  const outcomes: ConnectionRequestOutcome[] = [];
  const waiting = cpeids.values();
  // Each worker takes the next CPE once its last one has answered.
  const worker = async () => {
    for (const cpeid of waiting) {
      if (exchange.over.aborted) continue;
      outcomes.push(await connectionRequests.send(cpeid, asked));
    }
  };
  await Promise.all(Array.from({ length: limits.connectionRequestsAtATime }, worker));
  return summarize(outcomes.sort((a, b) => (a.cpeid < b.cpeid ? -1 : 1)));
}

async function matchingCpes(
  options: JsonObject,
  { devices, reading, max }: Pick<SendCnrParts, 'devices' | 'reading'> & { readonly max: number },
  scope: Scope,
  by: Pick<Exchange, 'user' | 'over'>,
): Promise<CpeId[]> {
  const storage = deviceStorage(devices, scope);
  const idLists: (readonly string[])[] = [];
  const filters: FieldFilter[] = [];
  for (const [name, value] of Object.entries(options)) {
    const isId = storage.idNames.includes(name);
    const filter = filterFromJson(storage.fields, isId ? 'id' : name, value);
    if (isId) idLists.push(await idsMeant(devices, scope, [...filter.anyOf].map(String)));
    else filters.push(filter);
  }
  const selection: Selection = { pattern: EVERY_ID, idLists, filters, everyRevision: false, isMeant: true };
  const look = async (turn: Turn, meant: Selection): Promise<CpeId[]> => {
    const found: CpeId[] = [];
    for await (const { id } of selectEntries(storage, meant, { turn })) {
      if (found.length >= max) throw invalid('search_options', `a search that matches at most ${max} CPEs`);
      found.push(id as CpeId);
    }
    return found;
  };
  const cpeids = await readSelected({ storage, selection, reading }, by, look);
  if (cpeids.length === 0)
    throw new ApiError(404, [{ field: '', expected: `No CPE matches ${describe(options)}` }]);
  return cpeids;
}

function describe(options: JsonObject): string {
  return Object.entries(options)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${shortJson(value)}`)
    .join(', ');
}

function summarize(outcomes: readonly ConnectionRequestOutcome[]): MethodAnswer {
  const [only, ...others] = outcomes;
  if (only === undefined)
    throw new ApiError(504, [{ field: '', expected: 'a client that waits for the answer' }]);
  if (others.length === 0) return { code: only.code, message: only.code === 200 ? 'OK' : only.message };
  const failed = outcomes.filter(({ code }) => code !== 200).length;
  return {
    code: Math.max(...outcomes.map(({ code }) => code)),
    message: failed === 0 ? 'OK' : `${failed} of ${outcomes.length} connection requests failed`,
    details: outcomes.map(({ cpeid, code, message }) => ({ cpeid, code, message })),
  };
}
