import type { ConnectionRequestOutcome, ConnectionRequests, Devices } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import {
  deviceStorage,
  EVERY_ID,
  type FieldFilter,
  filterFromJson,
  type Selection,
  selectEntries,
} from '../dyn/index.js';
import { ApiError, invalid, isObject, type JsonObject, type MethodAnswer, shortJson } from '../http/index.js';
import type { NbiLimits } from '../limits.js';

export interface SendCnrParts {
  readonly devices: Devices;
  readonly connectionRequests: ConnectionRequests;
  readonly limits: NbiLimits;
}

/**
 * Sends a connection request to every CPE that the search options match.
 * @param isWanted  false once nobody waits for the answer: then no further CPE is called
 * @throws ApiError 400 bad options or too many CPEs, 404 no CPE matches
 */
export async function sendCnr(
  body: JsonObject,
  { devices, connectionRequests, limits }: SendCnrParts,
  isWanted: () => boolean,
): Promise<MethodAnswer> {
  const options = searchOptions(body);
  const cpeids = await matchingCpes(options, devices, limits.connectionRequestsMax);
  const outcomes: ConnectionRequestOutcome[] = [];
  const waiting = cpeids.values();
  // Each worker takes the next CPE once its last one has answered.
  const worker = async () => {
    for (const cpeid of waiting) {
      if (isWanted()) outcomes.push(await connectionRequests.send(cpeid));
    }
  };
  await Promise.all(Array.from({ length: limits.connectionRequestsAtATime }, worker));
  return summarize(outcomes.sort((a, b) => (a.cpeid < b.cpeid ? -1 : 1)));
}

function searchOptions(body: JsonObject): JsonObject {
  for (const key of Object.keys(body)) {
    if (key !== 'search_options') throw invalid(key.slice(0, 100), 'no field beside search_options');
  }
  const options = body['search_options'];
  if (!isObject(options) || Object.keys(options).length === 0) {
    throw invalid('search_options', 'an object with cpe_id or a field of DeviceStorage', options);
  }
  return options;
}

async function matchingCpes(options: JsonObject, devices: Devices, max: number): Promise<CpeId[]> {
  const storage = deviceStorage(devices);
  const idLists: string[][] = [];
  const filters: FieldFilter[] = [];
  for (const [name, value] of Object.entries(options)) {
    const isId = storage.idNames.includes(name);
    const filter = filterFromJson(storage.fields, isId ? 'id' : name, value);
    if (isId) idLists.push([...filter.anyOf].map(String));
    else filters.push(filter);
  }
  const selection: Selection = { pattern: EVERY_ID, idLists, filters, everyRevision: false };
  const cpeids: CpeId[] = [];
  for await (const { id } of selectEntries(storage, selection)) {
    if (cpeids.length >= max) throw invalid('search_options', `a search that matches at most ${max} CPEs`);
    cpeids.push(id as CpeId);
  }
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
