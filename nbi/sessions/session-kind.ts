import type { SessionLife } from './user-session.js';

/** Which log-in a session is of: of one API it is of no use in another. `page` is what browsers have at Ferry's own pages and `POST /v1/session`. */
export type SessionKindName = 'page' | 'firmware-slots' | 'system-update' | 'sc-cloud';

/** What sessions of one API are like. */
export interface SessionKind {
  readonly name: SessionKindName;
  /** A new secret, in the form that clients of the API expect. */
  newSecret(): string;
  /** Whether something could be one. */
  isSecret(text: string): boolean;
  readonly life: SessionLife;
}
