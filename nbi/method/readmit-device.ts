import type { CpeCredentials, Devices } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import { idsMeant } from '../dyn/index.js';
import {
  ApiError,
  actorOf,
  failures,
  jsonAnswer,
  objectBody,
  type Route,
  ref,
  route,
  scopeOf,
} from '../http/index.js';
import { OK, sendAnswer } from './dialect.js';
import { idSchema } from './rule-request.js';

export interface ReadmitParts {
  readonly credentials: Pick<CpeCredentials, 'readmit'>;
  readonly devices: Devices;
}

/** `POST /v1/method/ReadmitDevice`: somebody's word that a CPE which has lost its credentials is the one. */
export function readmitDeviceRoute({ credentials, devices }: ReadmitParts): Route {
  return route({
    method: 'POST',
    path: '/v1/method/ReadmitDevice',
    role: 'operator',
    concerns: 'organizations',
    operationId: 'readmitDevice',
    summary:
      'Has a CPE that has lost its credentials, as by a factory reset, be given new ones when it comes',
    description: 'Within a day, to whoever has the shared pair and says that he is this CPE and was reset.',
    body: objectBody({
      required: ['cpe_id'],
      properties: {
        cpe_id: idSchema('the cpeid, or the serial number, of a CPE that has used credentials of its own'),
      },
      others: 'only cpe_id',
      example: { cpe_id: '00A1B2-HGW-1' },
    }),
    answers: {
      '200': jsonAnswer('It is given new ones when it comes', ref('MethodAnswer'), OK),
      ...failures('MethodAnswer', '404', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { cpe_id: name } = await exchange.body();
      const scope = scopeOf(exchange);
      const { organization } = scope;
      // One that is known by its serial number comes behind the name itself.
      const cpeid = (await idsMeant(devices, scope, [name])).at(-1) ?? name;
      if (!(await credentials.readmit(cpeid as CpeId, actorOf(exchange), organization)))
        throw new ApiError(404, [
          {
            field: 'cpeid',
            expected: 'a CPE that has used credentials of its own: others need no readmission',
          },
        ]);
      sendAnswer(exchange.response, { code: 200, message: 'OK' });
    },
  });
}
