import type { CpeCredentials, ShownCredential } from '../../acs/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { JsonObject } from '../http/index.js';
import { type Fields, stringsOf } from './fields.js';
import { listedIds, type Storage } from './storage.js';

export const CREDENTIAL_FIELDS = {
  id: 'string',
  username: 'string',
  cpeid: 'string',
  formerly: 'string',
  proven: 'boolean',
  since: 'time',
  firstUsed: 'time',
} as const satisfies Fields;

/** What a CPE logs in as, as the API shows it: never its password. Times in epoch seconds. */
function credentialView(shown: ShownCredential): JsonObject {
  const { username, cpeid, formerly, sinceMs, provenMs } = shown;
  return {
    id: username,
    username,
    cpeid,
    formerly,
    proven: provenMs !== null,
    since: Math.floor(sinceMs / SECOND_MS),
    firstUsed: provenMs === null ? undefined : Math.floor(provenMs / SECOND_MS),
  } satisfies Record<keyof typeof CREDENTIAL_FIELDS, unknown>;
}

/** The credentials of single CPEs, by user name. */
export function cpeAuthStorage(credentials: Pick<CpeCredentials, 'scan'>): Storage {
  return {
    name: 'CpeAuthStorage',
    fields: CREDENTIAL_FIELDS,
    idNames: ['id', 'username'],
    order: 'ascending',
    async *candidates(selection, after, turn) {
      const ids = listedIds(selection);
      const cpeids = stringsOf(selection.filters, 'cpeid');
      const { prefix } = selection.pattern;
      const [cpeid] = cpeids?.length === 1 ? cpeids : [];
      const narrow =
        ids !== null ? { usernames: ids } : cpeid !== undefined ? { cpeid } : prefix === '' ? {} : { prefix };
      const from = after === null ? {} : { after: after.id };
      for await (const shown of credentials.scan({ ...narrow, ...from }, turn)) {
        yield { id: shown.username, view: credentialView(shown), rank: shown.username };
      }
    },
  };
}
