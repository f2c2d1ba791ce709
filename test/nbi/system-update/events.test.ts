import test from 'ava';
import { startHttpServer } from '../../e2e/simulated.js';
import { COMMON, SERVICE, startSystemUpdate } from './support.js';

const UPDATE = `${SERVICE}/update`;

test('whatever is changed leaves an event that says who has changed it, in the organization of the device', async (t) => {
  const files = await startHttpServer(t, (_request, response) => response.writeHead(404).end());
  const nbi = await startSystemUpdate(t, { imageSources: ['127.0.0.0/8'] });
  const box = await nbi.box('E1');
  const { north } = nbi;
  const [name = '', password = ''] = nbi.as.north.operator.split(':');
  const seen = new Set<string>();
  const added = async () => {
    const found: {
      action: string;
      subject: string;
      by: string | undefined;
      organization: string | undefined;
    }[] = [];
    for await (const { id, action, subject, by, organization } of nbi.events.scan({})) {
      if (seen.has(id)) continue;
      seen.add(id);
      // Once in a while it is said that somebody was let in.
      if (subject === 'log-in') continue;
      found.unshift({ action, subject, by: by?.name, organization });
    }
    return found;
  };
  await added();
  const event = (action: string, subject: string) => ({ action, subject, by: name, organization: north.id });

  const login = await nbi.api(box, 'POST', `${COMMON}/login`, {
    as: null,
    json: { username: name, password },
  });
  t.deepEqual(await added(), [event('begun', 'session')]);
  const cookie = (login.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  await nbi.api(box, 'POST', `${COMMON}/logout`, { as: null, headers: { Cookie: cookie } });
  t.deepEqual(await added(), [event('ended', 'session')]);

  const uploaded = await nbi.api(box, 'POST', `${SERVICE}/images/upload?version=2.0`, { body: 'a firmware' });
  t.deepEqual(await added(), [event('added', 'image')]);
  const { body } = await nbi.api(box, 'POST', `${SERVICE}/images/fetch`, { json: { url: `${files}/x.bin` } });
  t.deepEqual(await added(), [event('added', 'upload')]);
  await nbi.uploads.close();
  await nbi.api(box, 'DELETE', `${SERVICE}/images/items/${(body as { readonly id: number }).id}`);
  const [{ subject, by } = { subject: '', by: '' }] = await added();
  t.deepEqual({ subject, by }, { subject: 'upload', by: name });

  await nbi.api(box, 'POST', `${UPDATE}/init`);
  await nbi.ready();
  t.deepEqual(await added(), [event('update-initializing', 'device'), event('update-initialized', 'device')]);
  await nbi.api(box, 'POST', `${UPDATE}/start`);
  t.deepEqual(
    (await added()).sort((one, other) => one.action.localeCompare(other.action)),
    [event('added', 'batch'), event('update-started', 'device')],
  );
  await nbi.api(box, 'POST', `${UPDATE}/reset`);
  const put = await added();
  t.deepEqual(put.at(-1), event('update-reset', 'device'));
  const { id } = uploaded.body as { readonly id: number };
  await until204(() => nbi.api(box, 'DELETE', `${SERVICE}/images/items/${id}`));
  t.deepEqual(await added(), [event('removed', 'image')]);
});

/** The rules of what was withdrawn are gone as well. */
async function until204(call: () => Promise<{ readonly status: number }>): Promise<void> {
  const { status } = await call();
  if (status !== 204) throw new Error(`It is ${status}`);
}
