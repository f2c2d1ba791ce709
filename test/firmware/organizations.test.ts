import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { ImageError } from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { pagesOf } from './organizations-conformance.js';
import { NORTH, openTestLibrary, SOUTH, uploadOf } from './support.js';

interface Deed {
  readonly by: typeof NORTH | typeof SOUTH | undefined;
  readonly kind: 'upload' | 'remove';
  readonly name: string;
  readonly content: string;
  readonly version: string;
}

const deeds = fc.array(
  fc.record<Deed>({
    by: fc.constantFrom(NORTH, NORTH, SOUTH, SOUTH, undefined),
    kind: fc.constantFrom('upload', 'upload', 'remove'),
    name: fc.constantFrom('a', 'b', 'c', '2'),
    content: fc.constantFrom('one', 'two', 'three'),
    version: fc.constantFrom('1', '2'),
  }),
  { maxLength: 24 },
);

/** All that NORTH is answered, and finds after what it or the installation does, while these things are done; and what it lists in the end. */
async function seenByNorth(t: ExecutionContext, done: readonly Deed[]): Promise<unknown> {
  const { library } = await openTestLibrary(t);
  const seen: unknown[] = [];
  for (const { by, kind, name, content, version } of done) {
    const answer = await attempt(async () => {
      if (kind === 'remove') return library.remove(name, BY, by);
      const upload = uploadOf(name, Buffer.from(content), {
        metadata: { softwareVersion: version },
        ...(by !== undefined && { organization: by }),
      });
      const { outcome, sameContentAs } = await library.upload(upload);
      return { outcome, sameContentAs };
    });
    if (by === SOUTH) continue;
    if (by === NORTH) seen.push(answer);
    const found = await library.get(name, NORTH);
    seen.push(found === null ? null : [found.id, found.sha256, found.softwareVersion]);
  }
  for (const limit of [1, 2, 100]) {
    const images = await pagesOf(library, NORTH, limit);
    seen.push(images.map(({ id, sha256 }) => [id, sha256]));
  }
  return seen;
}

async function attempt(act: () => Promise<unknown>): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ImageError) return [error.code, error.message];
    throw error;
  }
}

test('what an organization sees of images and is answered does not depend on what another did', async (t) => {
  await fc.assert(
    fc.asyncProperty(deeds, async (history) => {
      const alone = history.filter(({ by }) => by !== SOUTH);
      t.deepEqual(await seenByNorth(t, history), await seenByNorth(t, alone));
    }),
    { numRuns: 25 },
  );
});
