import test from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import { inform, RawCpe } from '../support/raw-cpe.js';
import { ferry } from './support.js';

const CPE = '00A1B2-HGW-1';

async function informs(server: TestFerry, url: string): Promise<void> {
  const cpe = new RawCpe(server.urls.cwmp);
  await cpe.post(inform({ parameters: { 'Device.ManagementServer.ConnectionRequestURL': url } }));
  cpe.close();
}

async function movedAt(server: TestFerry): Promise<number | undefined> {
  const { body } = await server.nbi('GET', '/v1/dyn/DeviceStorage/.*');
  const { details } = body as { details: readonly { readonly connectionRequestMoved?: number }[] };
  return details[0]?.connectionRequestMoved;
}

test('an operator approves the address that a connection-request URL has moved to, beside a running server', async (t) => {
  const server = await startTestFerry(t);
  const approve = (host: string, cpeid = CPE) =>
    ferry(['device', 'approve-url', cpeid, host, `--data-dir=${server.dataDir}`]);
  await informs(server, 'http://192.0.2.1:7547/cr');
  await informs(server, 'http://[2001:db8::7]:7547/cr');
  t.is(typeof (await movedAt(server)), 'number');

  const unknown = await approve('2001:db8::7', 'NOBODY');
  t.like(unknown, { exitCode: 1, stderr: 'ferry: No CPE is known as NOBODY.\n' });
  // Whoever poses as the CPE may have moved it once more since the operator looked.
  const other = await approve('192.0.2.1');
  t.is(other.exitCode, 1);
  t.regex(other.stderr, /names another host, 2001:db8::7:/);
  t.is(typeof (await movedAt(server)), 'number');

  const done = await approve('2001:DB8:0::7');
  t.like(done, { exitCode: 0, stdout: `Approved http://[2001:db8::7]:7547/cr of ${CPE}.\n` });
  t.is(await movedAt(server), undefined);
  const again = await approve('[2001:db8::7]');
  t.like(again, { exitCode: 0, stdout: `http://[2001:db8::7]:7547/cr of ${CPE} has not moved.\n` });

  await informs(server, 'http://192.0.2.1:7547/cr');
  t.is(typeof (await movedAt(server)), 'number');
  await informs(server, '');
  const none = await approve('192.0.2.1');
  t.is(none.exitCode, 1);
  t.regex(none.stderr, /names no host/);
});
