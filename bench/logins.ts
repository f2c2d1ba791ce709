import { digestResponse, digestSecret } from '../common/index.js';
import { inform, serialOf } from './envelopes.js';
import { RawConnection } from './raw-client.js';

export interface BenchLogin {
  readonly username: string;
  readonly password: string;
}

/** The pair that all CPEs share. */
export const SHARED_LOGIN: BenchLogin = { username: 'bench', password: 'bench shared password' };

/** What a single CPE is given. */
export function ownLogin(cpe: number): BenchLogin {
  return { username: `own-${serialOf(cpe)}`, password: `own password ${cpe}` };
}

/** `sent`: with the first request already; `asked`: when the ACS has asked for it. */
export type Login = { readonly kind: 'basic'; readonly when: 'sent' | 'asked' } | { readonly kind: 'digest' };

/** A periodic session of a known CPE on a connection of its own, as the one without login: Inform, empty POST, empty answer. */
export async function loginSession(port: number, cpe: number, how: Login, login: BenchLogin): Promise<void> {
  const connection = await RawConnection.open(port);
  const message = inform(serialOf(cpe), ['2 PERIODIC'], '1.0.0');
  try {
    let nonce: string | null = null;
    if (how.kind === 'digest' || (how.kind === 'basic' && how.when === 'asked')) {
      const asked = await connection.post(message, null);
      if (asked.status !== 401) throw new Error(`Who has not logged in was answered HTTP ${asked.status}`);
      nonce = asked.nonce;
    }
    const { cookie, status, body } = await connection.post(message, null, proofOf(how, login, nonce, 1));
    if (status !== 200) throw new Error(`A login was answered HTTP ${status}: ${body}`);
    const end = await connection.post('', cookie, proofOf(how, login, nonce, 2));
    if (end.status !== 204)
      throw new Error(`A periodic session was answered with HTTP ${end.status}: ${end.body}`);
  } finally {
    connection.close();
  }
}

/** The value of Authorization. */
export function basicOf({ username, password }: BenchLogin): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function proofOf(how: Login, login: BenchLogin, nonce: string | null, count: number): string {
  switch (how.kind) {
    case 'basic':
      return basicOf(login);
    case 'digest': {
      const { username, password } = login;
      const realm = 'Ferry CWMP';
      const nc = count.toString(16).padStart(8, '0');
      const secret = digestSecret('MD5', { username, realm, password });
      const said = {
        method: 'POST',
        uri: '/',
        nonce: nonce ?? '',
        qop: { name: 'auth', nc, cnonce: 'c0ffee' },
      };
      return (
        `Digest username="${username}", realm="${realm}", nonce="${said.nonce}", uri="/", algorithm=MD5, ` +
        `qop=auth, nc=${nc}, cnonce="c0ffee", response="${digestResponse('MD5', secret, said)}"`
      );
    }
    default:
      return how satisfies never;
  }
}
