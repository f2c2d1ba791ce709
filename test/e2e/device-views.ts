import { createHash } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { ask, fieldOf } from '../nbi/firmware-upgrader/support.js';
import { ADMIN, type TestFerry, until } from '../support/ferry.js';
import { IMAGE, NEW_VERSION } from './simulated.js';
import { NOTHING, WORDS, type Words } from './view-words.js';
import type { View } from './views.js';

// The APIs of single devices, as a client of each calls them.

/** The software update service of one device (000), whose clients show Basic with every request. */
export function systemUpdateView(t: ExecutionContext, ferry: TestFerry): View {
  const update = (cpeid: string, method: string, action = '') =>
    ferry.nbi(method, `/devices/${cpeid}/api/npm.system_update/2.0/update${action}`);
  const words: Words = WORDS['000 update'];
  const told = async (cpeid: string) => {
    const { body } = await update(cpeid, 'GET');
    const history = fieldOf(body, 'update_history') as readonly { readonly version?: string }[];
    const isUpdated = history.at(-1)?.version === NEW_VERSION;
    return `${fieldOf(body, 'state')}${isUpdated ? ', updated' : ''}`;
  };
  return {
    name: '000 update',
    through: 'system-update',
    async start(cpeid) {
      t.is((await update(cpeid, 'POST', '/init')).status, 204);
      await until('it is made ready', async () => (await told(cpeid)) === 'INITIALIZED');
      t.is((await update(cpeid, 'POST', '/start')).status, 204);
    },
    told,
    words: (moment, through) =>
      // Whoever has started it here would start it again, if it were INITIALIZED once more.
      moment === 'waiting' && through === 'system-update' ? 'RUNNING' : words[moment],
  };
}

/** The firmware slots of one device (001). */
export function firmwareSlotsView(t: ExecutionContext, { urls }: TestFerry): View {
  const logIn = (url: string) => ask(`${url}/authentication`, 'GET', { headers: BASIC });
  let session = '';
  const call = async (cpeid: string, method: string, path: string, asked = {}) => {
    const url = `${urls.nbi}/devices/${cpeid}/api`;
    const send = () => ask(`${url}${path}`, method, { ...asked, headers: { Cookie: session } });
    const first = await send();
    if (first.status !== 401) return first;
    session = cookieOf(await logIn(url));
    return send();
  };
  const slots = async (cpeid: string) => {
    const answer = await call(cpeid, 'GET', '/firmware/slots');
    t.is(answer.status, 200, answer.text);
    return fieldOf(read(answer), 'items') as readonly SlotItem[];
  };
  const words: Words = WORDS['001 slot'];
  const isShown = (moment: keyof Words) => words[moment] === 'after_reboot' || words[moment] === 'current';
  return {
    name: '001 slot',
    through: 'firmware-slots',
    async start(cpeid) {
      const body = new FormData();
      body.set('firmware', new Blob([new Uint8Array(IMAGE)]), 'hgw.bin');
      const uploaded = await call(cpeid, 'POST', '/upload/firmware', { body });
      t.is(uploaded.status, 201, uploaded.text);
      const json = { slot_id: fieldOf(read(uploaded), 'key'), message: 'as asked' };
      const upgraded = await call(cpeid, 'POST', '/firmware/upgrade', { json });
      t.is(upgraded.status, 200, upgraded.text);
    },
    async told(cpeid) {
      const slot = (await slots(cpeid)).find(({ body }) => body.version === NEW_VERSION);
      if (slot === undefined) return NOTHING;
      if (slot.error !== undefined) return slot.error.type;
      if (slot.body.current === true) return 'current';
      return slot.body.after_reboot === true ? 'after_reboot' : 'there';
    },
    // An image that was put in no slot stands in one as long as it waits or runs, or once it is what the device runs.
    words: (moment, through) => (isShown(moment) || through === 'firmware-slots' ? words[moment] : NOTHING),
  };
}

interface SlotItem {
  readonly body: { readonly version?: string; readonly current?: boolean; readonly after_reboot?: boolean };
  readonly error?: { readonly type: string };
}

const NOT_LOGGED_IN = -2;

/** Start upgrade (003), for a user for whom its log-in is switched on. */
export async function scCloudView(t: ExecutionContext, { nbi, urls }: TestFerry): Promise<View> {
  const password = 'a password of the cloud';
  const user = { name: 'cloud', role: 'admin', password, scCloud: true };
  const added = await nbi('POST', '/v1/dyn/UserStorage/.*', user);
  t.is(added.status, 200, JSON.stringify(added.body));
  const pass = createHash('md5').update(password).digest('hex');
  const logIn = () => ask(`${urls.nbi}/sc_cloud/login`, 'POST', { form: { id: user.name, pass } });
  let session = '';
  const call = async (method: string, path: string, json?: unknown) => {
    const send = () =>
      ask(`${urls.nbi}/sc_cloud${path}`, method, {
        headers: { Cookie: session },
        ...(json !== undefined && { json }),
      });
    const first = await send();
    if (fieldOf(read(first), 'result') !== NOT_LOGGED_IN) return first;
    session = cookieOf(await logIn());
    return send();
  };
  const words: Words = WORDS['003 details'];
  return {
    name: '003 details',
    through: 'sc-cloud',
    async start(cpeid) {
      const all = '/scapi/get-all-firmwares?dev-type=0&product-id=0&hardware-ver=0';
      const listed = (await call('GET', all)).text;
      const [, id] = /"id":(\d+)/.exec(listed) ?? [];
      const started = await call('POST', '/upgrade/start', {
        sn: [cpeid],
        'firmware-id': Number(id),
      });
      t.is(fieldOf(read(started), 'result'), 0, `${started.text} ${listed}`);
    },
    async told(cpeid) {
      const body = read(await call('GET', `/scapi/get-dev?sn=${cpeid}`));
      const [details] = fieldOf(body, 'details') as readonly { readonly result: number }[];
      const device = fieldOf(body, 'dev');
      const isSending = fieldOf(device, 'is-upload-file') === 1;
      return `${details?.result}${isSending ? `, file ${fieldOf(device, 'upload-file-pos')} %` : ''}`;
    },
    words: (moment) => words[moment],
  };
}

const BASIC = {
  Authorization: `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`,
};

/** Some name a charset beside the type. */
function read({ text }: Awaited<ReturnType<typeof ask>>): unknown {
  return JSON.parse(text);
}

/** The cookies that an answer gives, as they are sent back. */
function cookieOf({ headers }: Awaited<ReturnType<typeof ask>>): string {
  return headers
    .getSetCookie()
    .map((each) => each.split(';')[0])
    .join('; ');
}
