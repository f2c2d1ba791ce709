import type { Attack, Credentials } from '../attack.js';
import { askers, authorization, exchange, head, OF_A_USER } from '../sockets.js';

const BLANK_BYTES = 16 * 1_024 * 1_024 - 2;
const KEYS = 490_000;

/** What a method is sent, as it is cheapest to send and dearest to read. */
function bodies(): readonly Buffer[] {
  const keys = Array.from({ length: KEYS }, (_, index) => `"k${index}":1`).join(',');
  return [
    Buffer.from(`{${' '.repeat(BLANK_BYTES)}}`),
    Buffer.from(`{${keys}}`),
    Buffer.from(
      `{"cpe_id":"00A1B2-HGW-BENCH0000000","rule":{"id":"x","file":"bench.bin","condition":{},${keys}}}`,
    ),
  ];
}

export function jsonPost(path: string, credentials: Credentials, body: Buffer): readonly (string | Buffer)[] {
  const headers = `${authorization(credentials)}Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`;
  return [head('POST', path, headers), body];
}

/** K3: work and memory that grow with what came in. */
export const BODIES: readonly Attack[] = [
  {
    name: 'json-bodies',
    finding: 4,
    describe:
      'Bodies of 16 MiB of blanks, of 490,000 keys, of as many unknown fields, by a viewer, four at once',
    begin({ nbiPort, viewer }, tally) {
      const requests = bodies().map((body) => jsonPost('/v1/method/ExplainRules', viewer, body));
      askers(4, tally, (asker, turn) =>
        exchange(nbiPort, requests[(asker + turn) % requests.length] ?? [], OF_A_USER),
      );
    },
  },
];
