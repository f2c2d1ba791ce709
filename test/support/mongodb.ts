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

/** The name of a database of a test's own, dropped when the test ends. */
export function testDatabase(t: ExecutionContext, url: string): string {
  const name = `ferry-test-${process.pid}-${randomBytes(6).toString('hex')}`;
  t.teardown(async () => {
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 });
    await client.db(name).dropDatabase();
    await client.close();
  });
  return name;
}
