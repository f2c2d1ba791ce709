import { createHash } from 'node:crypto';
import http from 'node:http';
import type { ExecutionContext } from 'ava';
import { cpeidOf, createCpe, sessionsEnded, startHttpServer } from '../../e2e/simulated.js';
import type { TestFerry } from '../../support/ferry.js';

/** Of the CPEs that there are. */
export const SERIALS = ['1', '2'] as const;

const NAME = 'tool';
const PASSWORD = 'the password of a tool';

/** What a request has to have so that an admin sends it. */
interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: Readonly<Record<string, string>>;
}

/**
 * Tells whoever asks with `?path=` what an admin shows there: each API has its own way. What no longer holds is made anew, the user too, and so
 * are CPEs at whose paths it is.
 * @returns the URL
 */
export function serveAdminCredentials(t: ExecutionContext, ferry: TestFerry): Promise<string> {
  const credentials = new AdminCredentials(t, ferry);
  return startHttpServer(t, async (request, response) => {
    const path = new URL(request.url ?? '', 'http://host.invalid').searchParams.get('path') ?? '';
    try {
      response.end(JSON.stringify(await credentials.at(path)));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
}

class AdminCredentials {
  #token = '';
  #cloudCookies: Readonly<Record<string, string>> = {};

  constructor(
    private readonly t: ExecutionContext,
    private readonly ferry: TestFerry,
  ) {}

  async at(path: string): Promise<Credentials> {
    await this.#ensureAdmin();
    const [, base] = /^(\/devices\/[^/]+\/api)(?:\/|$)/.exec(path) ?? [];
    if (path.startsWith('/sc_cloud/')) return { headers: {}, cookies: await this.#ofCloud() };
    const byToken = { Authorization: `Bearer ${this.#token}` };
    if (base === undefined) return { headers: byToken, cookies: {} };
    await this.#ensureDevices(byToken);
    const isSystemUpdate = /\/api\/(?:common|npm\.system_update)\//.test(path);
    if (isSystemUpdate || path.endsWith('/authentication')) return { headers: BASIC, cookies: {} };
    const { cookies } = await this.#get(`${base}/authentication`, BASIC);
    return { headers: {}, cookies };
  }

  /** A token that holds belongs to a user who does. */
  async #ensureAdmin(): Promise<void> {
    const { users } = this.ferry.installation;
    const found = await users.verifyToken({ text: this.#token, address: '127.0.0.9' });
    if (found.kind === 'verified' && found.user.role === 'admin') return;
    await users.put({ name: NAME, role: 'admin', active: true, password: PASSWORD, scCloud: true });
    this.#token = (await users.tokens.create({ name: NAME, user: NAME }, null)).text;
  }

  /** Each comes as a new one where it has been deleted. */
  async #ensureDevices(headers: Readonly<Record<string, string>>): Promise<void> {
    for (const serial of SERIALS) {
      const { text } = await this.#get(`/v1/dyn/DeviceStorage/${cpeidOf(serial)}`, headers);
      if (JSON.parse(text).code !== 404) continue;
      const cpe = createCpe(this.t, this.ferry.urls.cwmp, serial);
      const ended = sessionsEnded(cpe);
      cpe.start();
      await ended;
      await cpe.stop();
    }
  }

  async #ofCloud(): Promise<Readonly<Record<string, string>>> {
    const Cookie = Object.entries(this.#cloudCookies)
      .map((each) => each.join('='))
      .join('; ');
    const { text } = await this.#get('/sc_cloud/scapi/get-all-firmwares?dev-type=0', { Cookie });
    if (JSON.parse(text).result === 0) return this.#cloudCookies;
    const pass = createHash('md5').update(PASSWORD).digest('hex');
    const body = new URLSearchParams({ id: NAME, pass });
    const response = await fetch(`${this.ferry.urls.nbi}/sc_cloud/login`, { method: 'POST', body });
    this.#cloudCookies = cookiesIn(response.headers.getSetCookie());
    return this.#cloudCookies;
  }

  /** Not by `fetch`, which knows better what a path is. */
  #get(
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly text: string; readonly cookies: Readonly<Record<string, string>> }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(this.ferry.urls.nbi);
      http
        .get({ hostname, port, path, headers }, async (response) => {
          let text = '';
          for await (const chunk of response) text += chunk;
          resolve({ text, cookies: cookiesIn(response.headers['set-cookie'] ?? []) });
        })
        .on('error', reject);
    });
  }
}

const BASIC = { Authorization: `Basic ${Buffer.from(`${NAME}:${PASSWORD}`).toString('base64')}` };

function cookiesIn(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((each) => {
      const [pair = ''] = each.split(';', 1);
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
