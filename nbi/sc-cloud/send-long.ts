import type { Turn } from '../../common/index.js';
import { type Exchange, jsonPieces, type Reading, type StreamedFields, sendStreamed } from '../http/index.js';

/** Answers with lists of any length, which are read while they are sent. */
export async function sendLong(
  reading: Reading,
  exchange: Exchange,
  fields: (turn: Turn) => Promise<StreamedFields>,
): Promise<void> {
  const { request, response } = exchange;
  const begin = () => void response.status(200).setHeader('Content-Type', 'application/json; charset=utf-8');
  if (request.method === 'HEAD') {
    begin();
    response.end();
    return;
  }
  await reading.long(exchange, async (turn) => {
    const texts = jsonPieces(await fields(turn), (value) => JSON.stringify(value), null);
    await sendStreamed(exchange, texts, begin);
  });
}
