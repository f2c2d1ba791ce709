import type { Attack } from '../attack.js';
import { head, hold, trickle } from '../sockets.js';

const TRICKLE_MS = 2_000;

function unfinished(name: string, count: number, descriptors?: number, why = ''): Attack {
  const limit = descriptors === undefined ? '' : `; ${descriptors.toLocaleString('en')} descriptors${why}`;
  return {
    name,
    finding: 18,
    describe: `${count.toLocaleString('en')} connections without log-in whose body never ends${limit}`,
    ...(descriptors === undefined ? {} : { server: { descriptors } }),
    begin({ nbiPort }, tally) {
      const headers = 'Content-Type: application/json\r\nContent-Length: 100000\r\n';
      hold({
        port: nbiPort,
        count,
        reads: true,
        tally,
        use(socket) {
          socket.write(head('POST', '/v1/method/ExplainRules', headers));
          trickle(socket, ' ', TRICKLE_MS);
        },
      });
    },
  };
}

/** K2: connections that cost whoever opens them nothing. */
export const CONNECTIONS: readonly Attack[] = [
  unfinished('unfinished', 150),
  unfinished('unfinished-2000', 2_000),
  unfinished('unfinished-256', 400, 256, ', as Node.js itself needs a hundred'),
  unfinished('unfinished-1024', 1_200, 1_024),
];
