import test from 'ava';
import { nbi, serve, temporaryDirectory } from '../cli/support.js';
import { ruleBody } from '../nbi/support.js';
import { until } from '../support/ferry.js';

const USER = 'admin:a test password';
const environment = { FERRY_ADMIN_PASSWORD: 'a test password' };
const RULES = '/v1/dyn/FirmwareStorage';
const COUNT = 4_000;

const numberIn = ({ body }: { readonly body: unknown }) => (body as { readonly details: number }).details;

test('a deletion of many that is killed half-way has deleted whole steps, each with its event, and goes on where it is asked for again', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const first = await serve(t, dataDir, [], { environment });
  const json = Array.from({ length: COUNT }, (_, n) => ruleBody(`R${n}`));
  t.is((await nbi(first, `${RULES}/.*`, USER, 'POST', json)).status, 200);
  const ids = json.map(({ id }) => id);
  const killed = nbi(first, `${RULES}/delete_objects_by_id`, USER, 'POST', ids).catch(() => null);
  await until('some are gone', async () => numberIn(await nbi(first, `${RULES}/count.*`, USER)) < COUNT);
  first.command.kill('SIGKILL');
  await first.command.ended;
  await killed;
  const second = await serve(t, dataDir, [], { environment });
  const left = async () => numberIn(await nbi(second, `${RULES}/count.*`, USER));
  const removed = async () =>
    numberIn(await nbi(second, '/v1/dyn/AuditStorage/count.*?subject=rule&action=removed', USER));
  const standing = await left();
  t.true(standing < COUNT);
  t.is(await removed(), COUNT - standing);
  const again = await nbi(second, `${RULES}/delete_objects_by_id`, USER, 'POST', ids);
  // All may have been gone before the process was.
  t.is(again.status, standing === 0 ? 404 : 200);
  t.is(await left(), 0);
  t.is(await removed(), COUNT);
});
