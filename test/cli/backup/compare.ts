import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import type { Installation } from '../../../cli/installation.js';
import type { Document } from '../../../store/index.js';
import { everyDocument } from '../../support/installation.js';

/** Holds two installations to the same documents, each index walked through the engine's own scan, and the same images; closes both. @returns how many documents */
export async function compareStores(
  t: ExecutionContext,
  from: Installation,
  to: Installation,
): Promise<number> {
  const right = everyDocument(to.store);
  let compared = 0;
  for await (const left of everyDocument(from.store)) {
    const { value, done } = await right.next();
    compared++;
    if (done || JSON.stringify(value) !== JSON.stringify(left)) t.deepEqual(value, left);
  }
  t.true((await right.next()).done);
  t.deepEqual(await imagesOf(to), await imagesOf(from));
  await from.close();
  await to.close();
  return compared;
}

async function imagesOf({ images }: Installation) {
  const { items } = await images.list({ limit: 100 });
  return Promise.all(
    items.map(async ({ contentFile: _, ...image }) => {
      const content = await images.open({ ...image, contentFile: _ });
      if (content === null) throw new Error(`${image.id} has no content`);
      const bytes = await buffer(content.read({ start: 0, end: image.sizeBytes - 1 }));
      return { ...image, hash: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

/** What a backup holds in the end, by collection and id. */
export function contentOf(backup: Buffer): Map<string, Document> {
  const content = new Map<string, Document>();
  for (const line of gunzipSync(backup).toString().trimEnd().split('\n')) {
    const { in: collection, doc } = JSON.parse(line);
    if (collection !== undefined) content.set(`${collection}/${doc.id}`, doc);
  }
  return content;
}
