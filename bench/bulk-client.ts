import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { answerOf, asked, type Northbound } from './northbound.js';

const NDJSON = 'application/x-ndjson';
const PATH = '/v1/dyn/FirmwareStorage/.*';

/**
 * Posts rules as NDJSON in one request.
 * @param onBatch  told how many are stored so far
 */
export async function postRules(
  at: Northbound,
  bodies: Iterable<object>,
  onBatch: (stored: number) => void,
): Promise<void> {
  const request = asked(at, 'POST', PATH, { 'Content-Type': NDJSON });
  const answered = answerOf(request);
  // A failed body shows in the answer, or in there being none.
  const sent = pipeline(Readable.from(lines(bodies)), request);
  let stored = 0;
  let sum: { readonly code: number; readonly written?: number } | null = null;
  for await (const line of createInterface({ input: await answered })) {
    sum = JSON.parse(line);
    if (!line.includes('"lines"')) continue;
    stored += sum?.written ?? 0;
    onBatch(stored);
  }
  await sent;
  if (sum?.code !== 204) throw new Error(`Posting rules was answered ${JSON.stringify(sum)}`);
}

function* lines(bodies: Iterable<object>): Generator<string> {
  let chunk = '';
  for (const body of bodies) {
    chunk += `${JSON.stringify(body)}\n`;
    if (chunk.length < 64 * 1_024) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

/** Lists all rules. @returns how many there are */
export async function listRules(at: Northbound): Promise<number> {
  const request = asked(at, 'GET', PATH, { Accept: NDJSON });
  const answered = answerOf(request);
  request.end();
  let listed = 0;
  for await (const chunk of await answered) {
    for (const byte of chunk as Buffer) if (byte === 0x0a) listed += 1;
  }
  return listed;
}
