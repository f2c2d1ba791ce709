import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';

/**
 * The database that tests use, from `MONGODB_URL`; null where there is none, after registering a test that says so (and
 * fails with `FERRY_REQUIRE_MONGODB=1`).
 */
export function mongodbUrl(): string | null {
  const url = process.env['MONGODB_URL'] ?? '';
  if (url !== '') return url;
  test('tests on MongoDB are skipped: MONGODB_URL is not set', (t) => {
    t.log('Set MONGODB_URL to a replica set (mongodb://…) to run them.');
    t.not(
      process.env['FERRY_REQUIRE_MONGODB'],
      '1',
      'MONGODB_URL is not set, and FERRY_REQUIRE_MONGODB=1 asks for it',
    );
  });
  return null;
}

/** What registers a test that reads what goes over the wire: over TLS there is nothing to read, so it is skipped. */
export function readableTest(url: string | null): typeof test.serial | typeof test.skip {
  return /[?&](tls|ssl)=true/.test(url ?? '') ? test.skip : test.serial;
}

/** The name of a database of a test's own, dropped when the test ends. */
export function testDatabase(t: ExecutionContext, url: string): string {
  const name = databaseName();
  t.teardown(() => dropDatabase(url, name));
  return name;
}

/** The name of a database that nobody has; who uses it drops it. */
export function databaseName(): string {
  return `ferry-test-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Of a database that a hundred tests are using at the same time. */
const DROPPED_MS_MAX = 60_000;

export async function dropDatabase(url: string, name: string): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: DROPPED_MS_MAX });
  await client.db(name).dropDatabase();
  await client.close();
}

/** `url` with a database named in it, as the configuration has it. */
export function urlOfDatabase(url: string, database: string): string {
  const { protocol, host, query } = partsOf(url);
  return `${protocol}${host}/${database}${query === '' ? '' : `?${query}`}`;
}

/** `url` by way of a proxy; the driver would go round it to the member it discovers unless told not to. */
export function proxiedUrl(url: string, port: number): string {
  const { protocol, host, path, parameters } = partsOf(url);
  return `${protocol}${host.includes('@') ? host.replace(/@.*/, '@') : ''}127.0.0.1:${port}/${path}?${[
    ...parameters,
    'directConnection=true',
    ...(parameters.some((parameter) => /^(tls|ssl)=true$/.test(parameter))
      ? ['tlsAllowInvalidHostnames=true']
      : []),
  ].join('&')}`;
}

/** The port that a proxy should lead to: that of the first member `url` names. */
export function portOf(url: string): number {
  return Number(/:(\d+)(?:,|$)/.exec(partsOf(url).host.replace(/.*@/, ''))?.[1] ?? 27017);
}

function partsOf(url: string) {
  const [, protocol = '', host = '', path = '', query = ''] =
    /^(mongodb:\/\/)([^/]*)\/?([^?]*)\??(.*)$/.exec(url) ?? [];
  const parameters = query
    .split('&')
    .filter((parameter) => !/^(replicaSet=.*|directConnection=.*|)$/.test(parameter));
  return { protocol, host, path, query, parameters };
}
