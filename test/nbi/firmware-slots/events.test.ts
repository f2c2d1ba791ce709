import test from 'ava';
import { startHttpServer } from '../../e2e/simulated.js';
import { until } from '../../support/ferry.js';
import { formOf, startSlots } from './support.js';

test('whatever is changed leaves an event that says who', async (t) => {
  const at = await startSlots(t, { imageSources: ['127.0.0.0/8'] });
  const seen = new Set<string>();
  const left = async () => {
    const found: (readonly [string, string, string | undefined])[] = [];
    for await (const { id, action, subject, by } of at.events.scan({ order: 'ascending' })) {
      if (!seen.has(id)) found.push([action, subject, by?.name]);
      seen.add(id);
    }
    return found;
  };
  await left();
  const OPERATOR = 'operator@north';
  const url = await startHttpServer(t, (_, response) => response.end('fetched'));
  await at.ask('POST', '/api/upload/firmware', { body: formOf('uploaded', 'up.iso') });
  const uploaded = await left();
  // The clock stands still, and ids of one moment have no order.
  t.true(uploaded.some(([action, subject]) => action === 'slot-filled' && subject === 'device'));
  t.true(uploaded.every(([, , by]) => by === OPERATOR));

  await at.ask('POST', '/api/firmware/test', { json: { slot_id: 2 } });
  t.deepEqual(await left(), []);
  await at.ask('POST', '/api/firmware/upgrade', { json: { slot_id: 2, message: 'why' } });
  t.deepEqual(await left(), [['added', 'batch', OPERATOR]]);

  await at.ask('POST', '/api/firmware/fetch', { json: { url } });
  t.true((await left()).some(([action, , by]) => action === 'slot-fetch-begun' && by === OPERATOR));
  await until('it is there', async () => {
    const { text } = await at.ask('GET', '/api/firmware/fetch/1');
    return text.includes('"finished"');
  });
  t.true((await left()).some(([action, , by]) => action === 'slot-filled' && by === undefined));
  await at.ask('DELETE', '/api/firmware/fetch/1');
  t.deepEqual(await left(), [['slot-fetch-removed', 'device', OPERATOR]]);
  await at.ask('DELETE', '/api/firmware/slots/3');
  t.deepEqual(await left(), [['slot-emptied', 'device', OPERATOR]]);
  await at.ask('DELETE', '/api/authentication');
  t.deepEqual(await left(), [['ended', 'session', OPERATOR]]);
});
