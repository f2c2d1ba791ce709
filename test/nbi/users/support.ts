import { randomBytes, scryptSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { createSecrets, silentLogger } from '../../../common/index.js';
import { type EventDocument, type EventFilter, EventLog } from '../../../events/index.js';
import { openUsers, type Role, type Users } from '../../../nbi/index.js';
import { USERS, type UserDocument } from '../../../nbi/users/user.js';
import { openLmdbStore, type Store } from '../../../store/index.js';

export const BEGIN_MS = 1_743_412_600_000;
export const ADDRESS = '192.0.2.1';

export interface TestUsers {
  readonly users: Users;
  readonly store: Store;
  /** The wall's clock, and what elapses. */
  readonly time: { wallMs: number; elapsedMs: number };
  /** Those of another node on the same store. */
  openOther(): Promise<Users>;
  /** A user whose password, `password of NAME`, costs nothing to check. */
  put(name: string, role: Role, more?: Partial<UserDocument>): Promise<void>;
  eventsOf(filter: EventFilter): Promise<readonly EventDocument[]>;
  /** What is kept of log-ins once there are so many: no request waits for that. */
  logIns(count: number): Promise<readonly EventDocument[]>;
}

const WAIT_MS_MAX = 60_000;

export async function openTestUsers(t: ExecutionContext): Promise<TestUsers> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-users-'));
  const stores: Store[] = [];
  t.teardown(async () => {
    for (const each of stores) await each.close();
    await rm(directory, { recursive: true });
  });
  const openStore = async () => {
    const store = await openLmdbStore({ directory, logger: silentLogger });
    stores.push(store);
    return store;
  };
  const time = { wallMs: BEGIN_MS, elapsedMs: 0 };
  const clock = () => time.wallMs;
  const secrets = createSecrets(randomBytes(32));
  const open = (of: Store) =>
    openUsers({ store: of, secrets, clock, monotonic: () => time.elapsedMs, logger: silentLogger });
  const store = await openStore();
  const events = new EventLog({ store, clock });
  const eventsOf = async (filter: EventFilter) => {
    const found: EventDocument[] = [];
    for await (const event of events.scan({ order: 'ascending', ...filter })) found.push(event);
    return found;
  };
  return {
    users: open(store),
    store,
    time,
    openOther: async () => open(await openStore()),
    async put(name, role, more = {}) {
      await store.collection<UserDocument>(USERS).put({ ...userDocument(name, role), ...more });
    },
    eventsOf,
    async logIns(count) {
      const deadlineMs = performance.now() + WAIT_MS_MAX;
      for (;;) {
        const found = await eventsOf({ subject: 'log-in' });
        if (found.length >= count) return found;
        if (performance.now() > deadlineMs) throw new Error(`There are ${found.length} of ${count}`);
        await delay(5);
      }
    },
  };
}

export function userDocument(id: string, role: Role): UserDocument {
  const salt = randomBytes(16);
  const key = scryptSync(`password of ${id}`, salt, 32, { N: 2, r: 8, p: 1 }).toString('base64');
  const costs = { cost: 2, blockSize: 8, parallelization: 1 } as const;
  return {
    id,
    role,
    password: { algorithm: 'scrypt', ...costs, salt: salt.toString('base64'), key },
    createdAtMs: BEGIN_MS,
  };
}
