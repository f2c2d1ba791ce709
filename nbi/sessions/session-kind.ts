import { randomBytes, randomInt } from 'node:crypto';
import { HOUR_MS, MINUTE_MS } from '../../common/index.js';
import type { User } from '../users/index.js';

/** How long a session lasts. */
export interface SessionLife {
  /** Without a request. */
  readonly idleMs: number;
  /** In all. */
  readonly totalMs: number;
}

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
  /** Whether a user may have one: those of a log-in that was switched off for him are over. */
  isFor(user: Pick<User, 'scCloud'>): boolean;
}

/** Of these, sessions of scripts at one CPE: they log in when they are run, and seldom out. */
const FIRMWARE_SLOTS_LIFE: SessionLife = { idleMs: 20 * MINUTE_MS, totalMs: 12 * HOUR_MS };

/** At least 150 bits in each form. */
const BASE64URL = { newSecret: () => randomBytes(32).toString('base64url'), shape: /^[A-Za-z0-9_-]{43}$/ };
const HEX = { newSecret: () => randomBytes(20).toString('hex'), shape: /^[0-9a-f]{40}$/ };
const CAPITALS = { newSecret: () => capitals(32), shape: /^[A-Z]{32}$/ };

/** All kinds. @param pageLife  of sessions of pages, and of whatever has no life of its own */
export function sessionKinds(pageLife: SessionLife): Readonly<Record<SessionKindName, SessionKind>> {
  return {
    page: kindOf('page', BASE64URL, pageLife),
    'firmware-slots': kindOf('firmware-slots', HEX, FIRMWARE_SLOTS_LIFE),
    'system-update': kindOf('system-update', BASE64URL, pageLife),
    'sc-cloud': { ...kindOf('sc-cloud', CAPITALS, pageLife), isFor: ({ scCloud }) => scCloud },
  };
}

function kindOf(
  name: SessionKindName,
  { newSecret, shape }: { readonly newSecret: () => string; readonly shape: RegExp },
  life: SessionLife,
): SessionKind {
  return { name, newSecret, isSecret: (text) => shape.test(text), life, isFor: () => true };
}

function capitals(count: number): string {
  const [first, end] = [0x41, 0x5b];
  return Array.from({ length: count }, () => String.fromCharCode(randomInt(first, end))).join('');
}
