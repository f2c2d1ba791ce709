import { MongoClient } from 'mongodb';

/**
 * The address with a database in it that is not there yet: what another run left would be measured too.
 * @param suffix  tells it from others of the same moment
 */
export function newDatabase(url: string, suffix: string): string {
  const [, server = '', parameters = ''] = /^([a-z+]+:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? [];
  return `${server}/ferry-bench-${Date.now()}-${suffix}${parameters}`;
}

export async function dropDatabase(url: string): Promise<void> {
  const client = new MongoClient(url);
  await client.db().dropDatabase();
  await client.close();
}
