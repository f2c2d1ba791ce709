import { once } from 'node:events';
import type { Devices, Placements } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import {
  ApiError,
  actorOf,
  anyObjectBody,
  type DynDialect,
  everybodys,
  failures,
  invalid,
  openQuery,
  type Reading,
  type Route,
  ref,
  route,
  scopeOf,
  upgradingError,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { doneAnswer, listAnswer, nothingAnswer } from './answers.js';
import { changeSelected, inBatches, narrowedTo, requireIntent } from './changes.js';
import { countRoute } from './count-route.js';
import { type Deletion, deletionRoutes } from './deletion-routes.js';
import { countSelectedDevices, deleteSelectedDevices } from './device-deletion.js';
import { DEVICE_FIELDS, DEVICE_WORDS, deviceStorage } from './device-storage.js';
import { sendSelected } from './list.js';
import { takeEntries } from './order.js';
import {
  ALL,
  DRY_RUN,
  fieldParameter,
  listOptions,
  PARAMETERS,
  PATTERN,
  PATTERN_OF_SOME,
} from './parameters.js';
import { parseQuery } from './query.js';
import { looksAtListed, readSelected, selectEntries } from './storage.js';

export interface DeviceRouteParts {
  readonly devices: Devices;
  readonly placements: Placements;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const NAME_CHARACTERS_SHOWN = 100;

/**
 * The CPEs that are known: they are listed, put into organizations, and deleted. DeviceStorage and CpeDbService are two names of the same;
 * each answers in its own.
 */
export function deviceRoutes(parts: DeviceRouteParts, dialect: DynDialect): Route[] {
  const { devices, reading } = parts;
  return [
    listRoute(parts, dialect),
    countRoute({
      dialect,
      fields: DEVICE_FIELDS,
      role: 'viewer',
      concerns: 'organizations',
      things: thingsOf(dialect),
      reading,
      storage: (exchange) => deviceStorage(devices, scopeOf(exchange)),
    }),
    putRoute(parts, dialect),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

/** As its operations are called: those of each name have ids of their own. */
function thingsOf({ name }: DynDialect): string {
  return name === 'DeviceStorage' ? 'Devices' : name;
}

function listRoute({ devices, limits, reading }: DeviceRouteParts, dialect: DynDialect): Route {
  const options = listOptions(limits.storagePageItemsMax, DEVICE_FIELDS);
  return route({
    method: 'GET',
    path: `/v1/dyn/${dialect.name}/{pattern}`,
    parameters: [PATTERN],
    role: 'viewer',
    concerns: 'organizations',
    operationId: `list${thingsOf(dialect)}`,
    summary: 'Lists the CPEs that are known, by id',
    query: openQuery(...Object.values(options), fieldParameter(DEVICE_FIELDS), PARAMETERS),
    answers: {
      '200': listAnswer('The CPEs', 'Device'),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const storage = deviceStorage(devices, scopeOf(exchange));
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, {
        ...options,
        parameters: PARAMETERS,
      });
      if (!query.parameters) return sendSelected(exchange, storage, query, dialect, { limits, reading });
      const { selection } = query;
      const { response, over } = exchange;
      await reading.answer(exchange, looksAtListed(storage, selection), async ({ turn, held, hasPlace }) => {
        const found = await takeEntries(selectEntries(storage, selection, { turn }), 2);
        const [device, another] = found;
        if (device === undefined) throw new ApiError(404);
        if (another !== undefined) throw invalid('parameters', 'a selection of one CPE: name its id');
        const text = await turn(async () => {
          const parameters = await devices.parameters(device.id as CpeId);
          return JSON.stringify(dialect.answer(200, [{ ...device.view, parameters }]));
        });
        if (!held.take(Buffer.byteLength(text)) && !hasPlace) return false;
        response.type('json').send(text);
        if (!over.aborted) await once(over, 'abort');
        return true;
      });
    },
  });
}

function putRoute({ devices, placements, reading }: DeviceRouteParts, dialect: DynDialect): Route {
  return route({
    method: 'PUT',
    path: `/v1/dyn/${dialect.name}/{pattern}`,
    parameters: [PATTERN_OF_SOME],
    role: 'operator',
    concerns: 'installation',
    operationId: `change${thingsOf(dialect)}`,
    summary: 'Puts every CPE that matches into an organization',
    description:
      'The body is merged, and `organization` is the one field that it may have: the slug or id of an organization that is active, or null: from its next session on a CPE belongs where the rules of the organizations say. An id in the body narrows what is changed. Each CPE is changed by itself; what was cut off is taken up by the same again.',
    query: openQuery(ALL, fieldParameter(DEVICE_FIELDS)),
    body: anyObjectBody({ organization: 'north' }),
    answers: {
      '200': doneAnswer('Changed', dialect),
      ...failures('Answer', '409', '413', '415', '507'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const { response, parameters, query: text } = exchange;
      const { id, organization, ...others } = await exchange.body();
      const [other] = Object.keys(others);
      if (other !== undefined)
        throw invalid(
          other.slice(0, NAME_CHARACTERS_SHOWN),
          'no such field to change; there is organization',
        );
      if (organization !== null && typeof organization !== 'string')
        throw invalid('organization', 'the slug or id of an organization, or null', organization);
      const storage = deviceStorage(devices, everybodys(await devices.organizations()));
      const query = parseQuery(storage, parameters.pattern, text, { all: ALL });
      const selection = narrowedTo(query.selection, id, 'CPE');
      requireIntent(query, selection);
      await changeSelected({ storage, selection, reading }, exchange, (turn, meant) =>
        inBatches(storage, meant, turn, (ids) =>
          placements.place(ids as readonly CpeId[], organization, actorOf(exchange)),
        ),
      );
      response.json(dialect.answer(204, ''));
    },
  });
}

function deletionOf({ devices, reading }: DeviceRouteParts, dialect: DynDialect): Deletion {
  return {
    dialect,
    role: 'operator',
    concerns: 'organizations',
    operationId: `delete${thingsOf(dialect)}`,
    summary: 'Deletes every CPE that matches, with its data model',
    description:
      'Results of its upgrades stay. One that informs again is a new one: rules may upgrade it as often as any. Refused (409) where a CPE among them has an upgrade under way. With `dryRun=true` they are only counted.',
    options: { all: ALL, dryRun: DRY_RUN },
    parameters: [fieldParameter(DEVICE_FIELDS)],
    example: { criteria: { 'lastInform<': 1743412508 }, id: '00A1B2-HGW-1' },
    done: {
      description: 'Deleted; or, with `dryRun=true`, how many would be',
      content: {
        'application/json': {
          schema: { anyOf: [ref('Answer'), ref('DeviceCount')] },
          example: dialect.answer(204, ''),
        },
      },
    },
    refusals: ['409', '507'],
    words: () => DEVICE_WORDS,
    async remove(exchange, { selection, dryRun }) {
      const { response } = exchange;
      const scope = scopeOf(exchange);
      const selected = { storage: deviceStorage(devices, scope), selection, reading };
      if (dryRun) {
        const counts = await readSelected(selected, exchange, (turn, meant) =>
          countSelectedDevices({ devices, scope, selection: meant, turn }),
        );
        if (counts.devices === 0) throw new ApiError(404);
        response.json(dialect.answer(200, counts));
        return;
      }
      await changeSelected(selected, exchange, async (turn, meant) => {
        const deleting = { devices, scope, selection: meant, turn };
        const deletion = await deleteSelectedDevices(deleting, actorOf(exchange));
        if (deletion.upgrading.length > 0) {
          throw upgradingError(deletion.upgrading, deletion.kind === 'deleted');
        }
        if (deletion.kind === 'deleted' && deletion.devices === 0) throw new ApiError(404);
      });
      response.json(dialect.answer(204, ''));
    },
  };
}
