import test from 'ava';
import { errorOf, SERVICE, startSystemUpdate, told } from './support.js';

const UPDATE = `${SERVICE}/update`;

test('an update is made ready, started, runs, and leaves the CPE idle with a longer history', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('A1');
  await nbi.image('hgw-2.bin', { version: '2.0' });
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  t.log(told(await nbi.api(box, 'POST', `${UPDATE}/init`)));
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  await nbi.ready(box);
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  t.log(told(await nbi.api(box, 'POST', `${UPDATE}/start`)));
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  await nbi.sent(box, 'accepted', { targetVersion: '2.0' });
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  t.log(told(await nbi.api(box, 'POST', `${UPDATE}/reset`)));
  await nbi.sent(box, 'transferred', { targetVersion: '2.0' });
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  await nbi.ended(box, 'verified', { targetVersion: '2.0' });
  t.log(told(await nbi.api(box, 'GET', UPDATE)));
  t.log(told(await nbi.api(box, 'GET', `${SERVICE}/images`)));
  t.deepEqual(errorOf(1, '', ''), errorOf(1, '', ''));
});
