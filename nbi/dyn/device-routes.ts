import { once } from 'node:events';
import type { Devices } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import {
  ApiError,
  type DynDialect,
  failures,
  invalid,
  openQuery,
  type Reading,
  type Route,
  route,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { listAnswer, nothingAnswer } from './answers.js';
import { deviceStorage } from './device-storage.js';
import { sendSelected } from './list.js';
import { takeEntries } from './order.js';
import { ANY_FIELD, listOptions, PARAMETERS, PATTERN } from './parameters.js';
import { parseQuery } from './query.js';
import { looksAtListed, selectEntries } from './storage.js';

export interface DeviceRouteParts {
  readonly devices: Devices;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

/** The CPEs that are known: they are listed. */
export function deviceRoutes({ devices, limits, reading }: DeviceRouteParts, dialect: DynDialect): Route[] {
  const storage = deviceStorage(devices);
  const options = listOptions(limits.pageItemsMax);
  return [
    route({
      method: 'GET',
      path: '/v1/dyn/DeviceStorage/{pattern}',
      parameters: [PATTERN],
      role: 'viewer',
      operationId: 'listDevices',
      summary: 'Lists the CPEs that are known, by id',
      query: openQuery(...Object.values(options), ANY_FIELD, PARAMETERS),
      answers: {
        '200': listAnswer('The CPEs', 'Device'),
        ...failures('Answer'),
        '404': nothingAnswer(dialect),
      },
      async handle(exchange) {
        const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, {
          ...options,
          parameters: PARAMETERS,
        });
        if (!query.parameters) return sendSelected(exchange, storage, query, dialect, { limits, reading });
        const { selection } = query;
        const { response, over } = exchange;
        await reading.answer(
          exchange,
          looksAtListed(storage, selection),
          async ({ turn, held, hasPlace }) => {
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
          },
        );
      },
    }),
  ];
}
