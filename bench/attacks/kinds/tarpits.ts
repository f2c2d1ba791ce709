import { once } from 'node:events';
import net from 'node:net';
import { inform, serialOf } from '../../envelopes.js';
import type { Attack, Target } from '../attack.js';
import { askers, authorization, exchange, head } from '../sockets.js';
import { IMAGE, ROGUE } from '../stage-names.js';

const CPES = 1_000;
const FIRST = ROGUE + 10_000;
const AT_A_TIME = 10;
const TARPIT_CLASS = 'TARPIT';
const ADDRESS = /<Value xsi:type="xsd:string">http:\/\/10\.20\.30\.40:7547\/[^<]*/;

/** CPEs whose connection requests are taken, and never answered. */
async function trap({ cwmpPort }: Target): Promise<void> {
  const tarpit = net.createServer((socket) => socket.on('error', () => {}).resume());
  tarpit.listen(0, '127.0.0.1');
  await once(tarpit, 'listening');
  const at = tarpit.address();
  const port = at === null || typeof at === 'string' ? 0 : at.port;
  const informs = async (from: number): Promise<void> => {
    for (let index = from; index < CPES; index += AT_A_TIME) {
      const body = inform(serialOf(FIRST + index), ['0 BOOTSTRAP'], '1.0.0', { productClass: TARPIT_CLASS });
      const trapped = body.replace(ADDRESS, `<Value xsi:type="xsd:string">http://127.0.0.1:${port}/${index}`);
      await exchange(cwmpPort, post('/', '', 'text/xml', trapped));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, (_, from) => informs(from)));
}

function post(path: string, credentials: string, type: string, body: string): readonly string[] {
  const headers = `${credentials}Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n`;
  return [head('POST', path, headers), body];
}

/** Connections that Ferry opens itself. */
export const TARPITS: readonly Attack[] = [
  {
    name: 'send-cnr',
    describe: 'SendCNR by an operator to 1,000 CPEs that take it and say nothing, 20 at a time',
    prepare: trap,
    begin({ nbiPort, operator }, tally) {
      const body = JSON.stringify({ search_options: { productClass: TARPIT_CLASS } });
      const request = post('/v1/method/SendCNR', authorization(operator), 'application/json', body);
      askers(20, tally, () => exchange(nbiPort, request));
    },
  },
  {
    name: 'waking',
    describe: 'A rule whose window wakes such CPEs, as many a second as a rule may',
    prepare: trap,
    begin({ nbiPort, operator }, tally) {
      const rule = {
        id: 'WAKING',
        file: IMAGE,
        condition: { productClass: TARPIT_CLASS },
        window: { cron: '* * * * *', durationMinutes: 60, timezone: 'UTC', wakePerSecond: 1_000 },
      };
      const request = post(
        '/v1/dyn/FirmwareStorage/.*',
        authorization(operator),
        'application/json',
        JSON.stringify(rule),
      );
      void exchange(nbiPort, request).then((outcome) => tally.add(outcome));
    },
  },
];
