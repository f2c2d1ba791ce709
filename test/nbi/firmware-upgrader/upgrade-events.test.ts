import test from 'ava';
import type { EventDocument } from '../../../events/index.js';
import { fieldOf } from './support.js';
import { BOARDS, operationIn, startUpgrades, WDR4300 } from './upgrade-support.js';

test('whoever upgrades a device, or takes that back, is told of in the log of events', async (t) => {
  const at = await startUpgrades(t);
  const { build, images } = await at.build('Routers', '2', [WDR4300]);
  const { id, cpeid } = await at.device('1', { modelName: BOARDS.wdr4300 });
  const image = build.images[0]?.name;
  /** What a call leaves, the oldest first. */
  const eventsOf = async (method: string, path: string, json?: unknown) => {
    const before = new Set<string>();
    for await (const { id: known } of at.events.scan({})) before.add(known);
    const answer = await at.ask(method, path, json === undefined ? {} : { json });
    t.true(answer.status < 300, `${method} ${path} ${answer.text}`);
    const found: EventDocument[] = [];
    for await (const event of at.events.scan({ order: 'ascending' }))
      if (!before.has(event.id)) found.push(event);
    for (const { by } of found)
      t.like(by, {
        name: 'operator@north',
        how: 'token',
        organization: at.north.id,
        requestId: answer.headers.get('X-Request-Id'),
      });
    return { answer, found };
  };
  const about = ({ action, subject, subjectId }: EventDocument) => [action, subject, subjectId];
  const firmware = `device/${id}/firmware/`;

  const put = await eventsOf('PUT', firmware, { image: images[WDR4300] });
  const given = put.found.find(({ subject }) => subject === 'device');
  t.like(given, { action: 'firmware-given', subjectId: cpeid, organization: at.north.id });
  t.deepEqual(given?.after, { image, build: build.id });
  t.true(put.found.some(({ action, subject }) => action === 'added' && subject === 'batch'));

  const cancelled = await eventsOf('POST', `upgrade-operation/${operationIn(put.answer.body)}/cancel/`);
  t.is(cancelled.found.length, 1);

  const patched = await eventsOf('PATCH', firmware, {});
  t.true(patched.found.some(({ action }) => action === 'firmware-given'));

  const taken = await eventsOf('DELETE', firmware);
  t.deepEqual(taken.found.map(about), [['firmware-taken', 'device', cpeid]]);

  const started = await eventsOf('POST', `build/${build.id}/upgrade/`, { upgrade_all: true });
  t.deepEqual(started.found.map(about), [['added', 'batch', fieldOf(started.answer.body, 'batch')]]);
});
