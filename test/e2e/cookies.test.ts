import test, { type ExecutionContext } from 'ava';
import { startTestFerry } from '../support/ferry.js';
import { inform, RawCpe, rpcOf, SET_PARAMETER_VALUES_RESPONSE } from '../support/raw-cpe.js';

const NAME = 'ferry-session';
/** Of no session: one as this Ferry makes them in memory, and one as nodes that share sessions do. */
const OLD = ['00000000-0000-4000-8000-000000000000', '0mha1234k-1b671a64-40d5-491e-99b0-da01ff1f3341'];

/** What a CPE makes of the cookie that it was given. */
const HEADERS: readonly (readonly [what: string, header: (id: string, old: string) => string | string[]])[] =
  [
    ['an old one, then the new one', (id, old) => `${NAME}=${old}; ${NAME}=${id}`],
    ['the new one, then an old one', (id, old) => `${NAME}=${id}; ${NAME}=${old}`],
    ['an empty one beside it', (id) => `${NAME}=; ${NAME}=${id}`],
    ['old and new in two headers', (id, old) => [`${NAME}=${old}`, `${NAME}=${id}`]],
    ['commas in between, as in RFC 2109', (id) => `$Version="1", ${NAME}=${id}, $Path="/"`],
    ['quotes and attributes, as in RFC 2109', (id) => `$Version=1; ${NAME}="${id}"; $Path="/"`],
    ["a balancer's cookie after a comma", (id) => `${NAME}=${id},JSESSIONID=1`],
    ['a hundred old ones before it', (id, old) => `${`${NAME}=${old}x; `.repeat(100)}${NAME}=${id}`],
  ];
const NOTHING_NAMED: readonly (readonly [what: string, header: (old: string) => string | string[]])[] = [
  ['an empty value (Grandstream)', () => `${NAME}=`],
  ['one of a session long gone', (old) => `${NAME}=${old}`],
  ['two of sessions long gone', (old) => [`${NAME}=${old}`, `${NAME}=${old.replaceAll('0', '1')}`]],
  ['what was never one', () => `${NAME}=../../etc; ${NAME}=null`],
];

/** Takes the first step of a session. @returns the RPC that it is answered with, or the status */
async function goOn(cpe: RawCpe, header: string | string[]): Promise<string> {
  cpe.cookie = null;
  // The type has no list, node takes one: a header line for each.
  const answer = await cpe.post('', { Cookie: header as string });
  return answer.status === 200 ? rpcOf(answer.body) : String(answer.status);
}

async function begun(t: ExecutionContext, url: string, serial: string) {
  const cpe = new RawCpe(url);
  t.teardown(() => cpe.close());
  await cpe.post(inform({ serial }));
  return { cpe, id: cpe.cookie?.split('=')[1] ?? '' };
}

for (const shareSessions of [false, true]) {
  const where = shareSessions ? 'in the store' : 'in memory';

  test(`of several cookies the one that names a session counts, on any connection (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    let serial = 0;
    for (const [what, header] of HEADERS) {
      for (const old of OLD) {
        const own = await begun(t, ferry.urls.cwmp, String(++serial));
        t.is(await goOn(own.cpe, header(own.id, old)), 'SetParameterValues', what);
        const moved = await begun(t, ferry.urls.cwmp, String(++serial));
        const other = new RawCpe(ferry.urls.cwmp);
        t.is(
          await goOn(other, header(moved.id, old)),
          'SetParameterValues',
          `${what}, on another connection`,
        );
        other.close();
      }
    }
  });

  test(`a cookie that names no session leaves it to the connection (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    let serial = 0;
    for (const [what, header] of NOTHING_NAMED) {
      for (const old of OLD) {
        const { cpe } = await begun(t, ferry.urls.cwmp, String(++serial));
        t.is(await goOn(cpe, header(old)), 'SetParameterValues', what);
        const other = new RawCpe(ferry.urls.cwmp);
        t.is(await goOn(other, header(old)), '400', `${what}, on a connection without a session`);
        other.close();
      }
    }
  });

  test(`cookies of two sessions are refused, and neither session is touched (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    const [one, two] = [await begun(t, ferry.urls.cwmp, '1'), await begun(t, ferry.urls.cwmp, '2')];
    const both = [`${NAME}=${one.id}; ${NAME}=${two.id}`, `${NAME}=${two.id}, ${NAME}=${one.id}`];
    for (const header of both) {
      const other = new RawCpe(ferry.urls.cwmp);
      t.is(await goOn(other, header), '400');
      other.close();
    }
    for (const { cpe, id } of [one, two]) t.is(await goOn(cpe, `${NAME}=${id}`), 'SetParameterValues');
  });

  test(`one of another session is refused, also beside the connection's own (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    const [victim, thief] = [await begun(t, ferry.urls.cwmp, '1'), await begun(t, ferry.urls.cwmp, '2')];
    t.is(await goOn(thief.cpe, `${NAME}=${thief.id}; ${NAME}=${victim.id}`), '400');
    t.is(await goOn(victim.cpe, `${NAME}=${victim.id}`), 'SetParameterValues');
  });

  test(`one of a session that is over does not count beside one that is not (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    const over = await begun(t, ferry.urls.cwmp, '1');
    await over.cpe.post('');
    t.is((await over.cpe.post(SET_PARAMETER_VALUES_RESPONSE)).status, 204);
    const { cpe, id } = await begun(t, ferry.urls.cwmp, '2');
    t.is(await goOn(cpe, `${NAME}=${over.id}; ${NAME}=${id}`), 'SetParameterValues');
  });

  test(`a cookie counts only from the address that its session began from (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    const victim = await begun(t, ferry.urls.cwmp, '1');
    const thief = new RawCpe(ferry.urls.cwmp, '127.0.0.2');
    t.teardown(() => thief.close());
    t.is(await goOn(thief, `${NAME}=${victim.id}`), '400');
    // Nor does it end the session, with an Inform of whatever CPE.
    for (const serial of ['1', '2']) {
      thief.cookie = `${NAME}=${victim.id}`;
      t.is((await thief.post(inform({ serial }))).status, 200);
    }
    t.is(await goOn(victim.cpe, `${NAME}=${victim.id}`), 'SetParameterValues');
    t.true(
      ferry.events.some(
        ({ event, fields }) => event === 'cwmp.rejected' && /another address/.test(String(fields['reason'])),
      ),
    );
  });

  test(`whoever has no credentials is asked for them, whatever cookie comes from another address (${where})`, async (t) => {
    const ferry = await startTestFerry(t, {
      config: { shareSessions, allowAnonymousCpe: false, cpeAuth: 'cpe:a cpe password' },
    });
    const authorization = `Basic ${Buffer.from('cpe:a cpe password').toString('base64')}`;
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    await cpe.post(inform(), { Authorization: authorization });
    const cookie = cpe.cookie ?? '';
    const thief = new RawCpe(ferry.urls.cwmp, '127.0.0.2');
    t.teardown(() => thief.close());
    t.is(await goOn(thief, cookie), '401');
    t.is(await goOn(cpe, cookie), 'SetParameterValues');
  });

  test(`a CPE that goes on from another address is led to begin anew, and on its connection goes on (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    const { id } = await begun(t, ferry.urls.cwmp, '1');
    const moved = new RawCpe(ferry.urls.cwmp, '127.0.0.2');
    t.teardown(() => moved.close());
    moved.cookie = `${NAME}=${id}`;
    const refused = await moved.post('');
    t.is(refused.status, 400);
    t.regex(refused.body, /begin anew with an Inform/);
    await moved.post(inform());
    const fresh = moved.cookie.split('=')[1] ?? '';
    t.not(fresh, id);
    // Also with the one from before, which says nothing from here.
    t.is(await goOn(moved, `${NAME}=${id}; ${NAME}=${fresh}`), 'SetParameterValues');
    moved.cookie = `${NAME}=${id}`;
    t.is((await moved.post(SET_PARAMETER_VALUES_RESPONSE)).status, 204);
  });

  test(`where cookies count from any address, a CPE whose own has changed goes on (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions, cookieFromAnyAddress: true } });
    const { id } = await begun(t, ferry.urls.cwmp, '1');
    const moved = new RawCpe(ferry.urls.cwmp, '127.0.0.2');
    t.teardown(() => moved.close());
    t.is(await goOn(moved, `${NAME}=${id}`), 'SetParameterValues');
  });

  test(`what a CPE brings along as its cookie never becomes the name of its session (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions } });
    for (const [index, chosen] of OLD.entries()) {
      const cpe = new RawCpe(ferry.urls.cwmp);
      t.teardown(() => cpe.close());
      cpe.cookie = `${NAME}=${chosen}`;
      await cpe.post(inform({ serial: String(index) }));
      t.not(cpe.cookie, `${NAME}=${chosen}`);
      const other = new RawCpe(ferry.urls.cwmp);
      t.teardown(() => other.close());
      t.is(await goOn(other, `${NAME}=${chosen}`), '400');
    }
  });

  test(`behind a trusted proxy a cookie counts whatever address it comes from (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions, trustedProxy: ['127.0.0.0/8'] } });
    const cpe = new RawCpe(ferry.urls.cwmp);
    const other = new RawCpe(ferry.urls.cwmp, '127.0.0.2');
    t.teardown(() => cpe.close());
    t.teardown(() => other.close());
    await cpe.post(inform(), { 'X-Forwarded-For': '192.0.2.1' });
    other.headers = { 'X-Forwarded-For': '198.51.100.1' };
    t.is(await goOn(other, cpe.cookie ?? ''), 'SetParameterValues');
  });

  test(`behind a trusted proxy only a cookie names the session, and old ones say nothing (${where})`, async (t) => {
    const ferry = await startTestFerry(t, { config: { shareSessions, trustedProxy: ['127.0.0.1'] } });
    for (const old of OLD) {
      const { cpe, id } = await begun(t, ferry.urls.cwmp, old.slice(0, 2));
      t.is(await goOn(cpe, `${NAME}=${old}`), '400');
      t.is(await goOn(cpe, `${NAME}=`), '400');
      t.is(await goOn(cpe, `${NAME}=${old}; ${NAME}=${id}`), 'SetParameterValues');
    }
  });
}
