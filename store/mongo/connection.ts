import { MongoClient, type MongoClientOptions, type ReadConcernLevel } from 'mongodb';
import { StoreAddressError, StoreError } from '../collection.js';
import { DRIVER_CONNECTION } from './driver-connection.js';
import { storeErrorOf } from './errors.js';

export const DATABASE_DEFAULT = 'ferry';

/**
 * How often each member is asked for its state. After an error that sounds like a fail-over nothing is sent to it before that, so the
 * driver's own ten seconds would be an outage of ten seconds where the same member goes on as primary.
 */
const HEARTBEAT_MS = 2_000;

export interface ConnectOptions {
  readonly url: string;
  readonly timeoutMs: number;
}

/**
 * Connects to a replica set or a sharded cluster.
 * @throws StoreError `unavailable`, with no credentials in its message; StoreAddressError where `url` is none
 */
export async function connect({ url, timeoutMs }: ConnectOptions): Promise<MongoClient> {
  let client: MongoClient;
  try {
    client = new MongoClient(url, { ...defaultsFor(url), ...clientOptions(timeoutMs) });
  } catch (error) {
    // Without a cause: what the driver says of an address it cannot read may quote it, password and all.
    const reason = error instanceof Error ? withoutCredentials(error.message, url) : '';
    throw new StoreAddressError(`The address of the database cannot be used: ${reason}`);
  }
  try {
    await client.connect();
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') {
      throw new StoreError(
        'unavailable',
        'The database must be a replica set (one member is enough) or a sharded cluster: a standalone server has no transactions',
      );
    }
    return client;
  } catch (error) {
    await client.close().catch(() => {});
    throw storeErrorOf(error, `The database at ${client.options.hosts.join(', ')} cannot be used`);
  }
}

/** These hold where the address says nothing else. */
function defaultsFor(url: string): MongoClientOptions {
  return /[?&]heartbeatFrequencyMS=/i.test(url) ? {} : { heartbeatFrequencyMS: HEARTBEAT_MS };
}

/** These hold whatever the address says: the store's promises rest on them. */
function clientOptions(timeoutMs: number): MongoClientOptions {
  return {
    ...DRIVER_CONNECTION,
    appName: 'ferry',
    readConcern: { level: 'majority' satisfies ReadConcernLevel },
    writeConcern: { w: 'majority', journal: true },
    readPreference: 'primary',
    retryReads: true,
    retryWrites: true,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    // Documents carry their JSON as text, so there is nothing for the driver to guess.
    promoteValues: true,
    ignoreUndefined: true,
  };
}

/** The database that an address names, if any: the driver would say `test` where there is none. */
export function databaseIn(url: string): string | null {
  const name = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^/?]+)/.exec(url)?.[1];
  return name === undefined ? null : decoded(name);
}

/** `text` without what stands before the @ of an address in it, and without the password of `url` in either spelling. */
export function withoutCredentials(text: string, url: string): string {
  let clean = text.replaceAll(/\/\/[^/@\s]*@/g, '//***@');
  const userinfo = /^[a-z+]+:\/\/(.*)@/i.exec(url)?.[1];
  if (userinfo === undefined) return clean;
  const password = userinfo.slice(userinfo.indexOf(':') + 1);
  for (const secret of [userinfo, password, decoded(password)]) {
    if (secret !== '') clean = clean.replaceAll(secret, '***');
  }
  return clean;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
