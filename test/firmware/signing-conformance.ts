import test from 'ava';
import { EventLog } from '../../events/index.js';
import { ImageError } from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import { newSigner } from './signatures/signer.js';
import { type LibraryOpener, NORTH, randomContent, SOUTH, uploadOf } from './support.js';

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ImageError) return error.code;
    throw error;
  }
  return 'none';
}

/** What any library keeps to of signatures, wherever its contents lie. @param where  what the titles begin with */
export function defineSigningTests(where: string, open: LibraryOpener): void {
  test(`${where}: an image comes with its signature, or not at all`, async (t) => {
    const { library, files, settle } = await open(t);
    const [signer, stranger] = [newSigner(), newSigner()];
    const content = randomContent(300_000);
    const upload = (signature: Buffer, bytes = content) =>
      library.upload(uploadOf('a.bin', bytes, { signature }));
    t.is(await refusal(upload(signer.minisig(content))), 'bad-signature');
    await library.keys.add({ name: 'release', text: signer.minisignPub }, BY);
    for (const refused of [
      upload(stranger.minisig(content)),
      upload(signer.minisig(randomContent(300_000))),
      upload(Buffer.from('no signature')),
    ])
      t.is(await refusal(refused), 'bad-signature');
    t.is(await library.get('a.bin'), null);
    await settle();
    t.deepEqual(await files(), { incoming: [], content: [] });
    const { image } = await upload(signer.minisig(content, 'ED', 'version 2'));
    t.like(image.signature, {
      algorithm: 'minisign',
      keyId: signer.keyId,
      keyName: 'release',
      trustedComment: 'version 2',
    });
    t.deepEqual(await library.get('a.bin'), image);
    t.true((await library.signing(image)).isSigned);
  });

  test(`${where}: the same image again brings its signature, or a new one once the key of the old holds no more`, async (t) => {
    const { library } = await open(t);
    const [first, second] = [newSigner(), newSigner()];
    const content = randomContent(1_000);
    const again = async (signature?: Buffer) => {
      const { outcome, image } = await library.upload(
        uploadOf('a.bin', content, { ...(signature && { signature }) }),
      );
      return `${outcome} ${image.signature?.keyName ?? '-'}`;
    };
    await library.keys.add({ name: 'first', text: first.minisignPub }, BY);
    await library.keys.add({ name: 'second', text: second.pem }, BY);
    t.is(await again(), 'created -');
    t.is(await again(first.usign(content)), 'unchanged first');
    t.is(await again(second.alone(content)), 'unchanged first');
    t.is(await again(), 'unchanged first');
    t.true(await library.keys.remove('first', BY));
    t.is(await again(second.alone(content)), 'unchanged second');
    t.is(await refusal(again(first.usign(content))), 'bad-signature');
  });

  test(`${where}: a signature comes after its image, in place of another, and goes before it`, async (t) => {
    const { library, store } = await open(t);
    const signer = newSigner();
    const content = randomContent(1_000);
    await library.keys.add({ name: 'release', text: signer.minisignPub }, BY);
    await library.upload(uploadOf('a.bin', content));
    t.is(
      (await library.sign('a.bin', signer.minisig(content, 'Ed'), BY))?.signature?.algorithm,
      'minisign-legacy',
    );
    t.is((await library.sign('a.bin', signer.minisig(content), BY))?.signature?.algorithm, 'minisign');
    t.is(await refusal(library.sign('a.bin', signer.minisig(randomContent(9)), BY)), 'bad-signature');
    t.is(await library.sign('b.bin', signer.minisig(content), BY), null);
    const unsigned = await library.unsign('a.bin', BY);
    t.is(unsigned?.signature, undefined);
    t.deepEqual(await library.unsign('a.bin', BY), unsigned);
    t.is(await library.unsign('b.bin', BY), null);
    const actions: string[] = [];
    const log = new EventLog({ store, clock: Date.now });
    for await (const { action } of log.scan({ subject: 'image', subjectId: 'a.bin', order: 'ascending' }))
      actions.push(action);
    t.deepEqual(actions, ['added', 'signed', 'signed', 'unsigned']);
  });

  test(`${where}: keys of the installation hold for all images, those of an organization for its own`, async (t) => {
    const { library } = await open(t);
    const owners = [undefined, NORTH, SOUTH] as const;
    const signers = new Map(owners.map((owner) => [owner, newSigner()] as const));
    const signerOf = (owner: (typeof owners)[number]) => signers.get(owner) ?? newSigner();
    for (const owner of owners)
      await library.keys.add({ name: 'release', text: signerOf(owner).minisignPub, organization: owner }, BY);
    const content = randomContent(100);
    for (const owner of owners) {
      for (const by of owners) {
        const signature = signerOf(by).minisig(content);
        const upload = uploadOf(`by-${by ?? 'all'}.bin`, content, {
          signature,
          ...(owner && { organization: owner }),
        });
        const holds = by === undefined || by === owner;
        t.is(await refusal(library.upload(upload)), holds ? 'none' : 'bad-signature', `${owner} ${by}`);
      }
    }
    t.deepEqual(
      (await library.keys.of(NORTH)).map(({ keyId }) => keyId),
      [signerOf(NORTH).keyId],
    );
  });

  test(`${where}: what a removed key signed is unsigned until it is back, and a commit that rests on it is refused`, async (t) => {
    const { library, another, store } = await open(t);
    const other = another();
    const signer = newSigner();
    const content = randomContent(100);
    await library.keys.add({ name: 'release', text: signer.minisignPub }, BY);
    const signature = signer.minisig(content);
    const { image } = await library.upload(uploadOf('a.bin', content, { signature, organization: NORTH }));
    const before = await other.signing(image);
    if (!before.isSigned) return t.fail(before.detail);
    t.true((await store.commit(before.unchanged)).committed);
    await t.notThrowsAsync(other.verify(image));
    t.true(await library.keys.remove('release', BY));
    t.false((await store.commit(before.unchanged)).committed);
    t.like(await other.signing(image), { isSigned: false });
    t.is(await refusal(other.verify(image)), 'bad-signature');
    // Its name says nothing: another key that is called so does not hold.
    await library.keys.add({ name: 'release', text: newSigner().minisignPub }, BY);
    t.like(await other.signing(image), { isSigned: false });
    await library.keys.add({ name: 'back', text: signer.minisignPub }, BY);
    const after = await other.signing(image);
    if (!after.isSigned) return t.fail(after.detail);
    await library.remove('a.bin', BY, NORTH);
    t.false((await store.commit(after.unchanged)).committed);
    t.like(await other.signing(image), { isSigned: false });
  });

  test(`${where}: keys of one owner are few, and told apart by name and number, however many add them at once`, async (t) => {
    const { library, another } = await open(t);
    const libraries = [library, another()];
    const added = await Promise.all(
      Array.from({ length: 70 }, async (_, number) => {
        const name = `k${String(number).padStart(2, '0')}`;
        const text = newSigner().minisignPub;
        return refusal((libraries[number % 2] ?? library).keys.add({ name, text, organization: NORTH }, BY));
      }),
    );
    t.is(added.filter((code) => code === 'none').length, 64);
    t.is(added.filter((code) => code === 'too-many-keys').length, 6);
    t.is((await library.keys.of(NORTH)).length, 64);
    const signer = newSigner();
    const add = (name: string, text: string) => refusal(library.keys.add({ name, text }, BY));
    t.is(await add('one', signer.minisignPub), 'none');
    t.is(await add('one', signer.minisignPub), 'none');
    t.is(await add('one', newSigner().minisignPub), 'key-taken');
    t.is(await add('two', signer.minisignPub), 'key-taken');
    t.is(await add('../two', newSigner().minisignPub), 'invalid-key');
    const alone = [];
    for (let number = 0; number < 9; number++) alone.push(await add(`alone${number}`, newSigner().pem));
    t.deepEqual(alone, [...Array(8).fill('none'), 'too-many-keys']);
  });
}
