import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { newSigner } from '../firmware/signatures/signer.js';
import type { Reply } from './support.js';
import { startWithTwo } from './two-organizations.js';

const CONTENT = randomBytes(1_000);
const OCTETS = { 'Content-Type': 'application/octet-stream' };

const detailsOf = ({ body }: Reply) => (body as { readonly details: unknown }).details;

/** Everybody has a key called `release`, by a signer of his own. */
async function started(t: ExecutionContext) {
  const nbi = await startWithTwo(t);
  const signers = { north: newSigner(), south: newSigner(), installation: newSigner() };
  const addKey = (as: string, name: string, publicKey: string) =>
    nbi.call(`/v1/image-keys/${name}`, { method: 'PUT', json: { publicKey }, as });
  for (const owner of ['north', 'south', 'installation'] as const)
    t.is((await addKey(nbi.as[owner].admin, 'release', signers[owner].minisignPub)).status, 201);
  return {
    ...nbi,
    signers,
    addKey,
    removeKey: (as: string, name: string) => nbi.call(`/v1/image-keys/${name}`, { method: 'DELETE', as }),
    keysSeen: async (as: string, query = '') =>
      (detailsOf(await nbi.call(`/v1/image-keys${query}`, { as })) as Record<string, unknown>[]).map(
        ({ keyId, shared, addedBy, organization }) => ({ keyId, shared, addedBy, organization }),
      ),
    put: (as: string, name: string, signature?: Buffer) =>
      nbi.call(`/v1/images/${name}`, {
        method: 'PUT',
        body: CONTENT,
        headers: { ...OCTETS, ...(signature && { 'X-Image-Signature': signature.toString('base64') }) },
        as,
      }),
    sign: (as: string, name: string, signature: Buffer, query = '') =>
      nbi.call(`/v1/images/${name}/signature${query}`, {
        method: 'PUT',
        body: signature,
        headers: OCTETS,
        as,
      }),
  };
}

test('an organization sees its keys and those of the installation, changes its own alone, and admins do', async (t) => {
  const nbi = await started(t);
  const { as, signers } = nbi;
  const ofInstallation = { keyId: signers.installation.keyId, organization: undefined };
  t.deepEqual(await nbi.keysSeen(as.north.viewer), [
    { keyId: signers.north.keyId, shared: undefined, addedBy: 'admin@north', organization: undefined },
    { ...ofInstallation, shared: true, addedBy: undefined },
  ]);
  t.deepEqual(await nbi.keysSeen(as.installation.viewer), [
    { ...ofInstallation, shared: undefined, addedBy: 'admin.all' },
  ]);
  t.like(await nbi.keysSeen(as.installation.viewer, '?organization=south'), [
    { keyId: signers.south.keyId, organization: 'south' },
    { shared: true },
  ]);
  t.is((await nbi.addKey(as.north.operator, 'more', newSigner().minisignPub)).status, 403);
  t.is((await nbi.removeKey(as.north.operator, 'release')).status, 403);
  t.is((await nbi.addKey(as.south.admin, 'own', newSigner().minisignPub)).status, 201);
  // Another's key is answered like one that nobody has.
  t.deepEqual(
    detailsOf(await nbi.removeKey(as.north.admin, 'own')),
    detailsOf(await nbi.removeKey(as.north.admin, 'none')),
  );
  t.is((await nbi.removeKey(as.north.admin, 'release')).status, 200);
  // What is called so now is the installation's, and stays.
  t.is((await nbi.removeKey(as.north.admin, 'release')).status, 404);
  t.is((await nbi.keysSeen(as.installation.viewer)).length, 1);
});

test('an image comes signed by a key of its organization or of the installation, and is refused by any other', async (t) => {
  const nbi = await started(t);
  const { as, signers } = nbi;
  const refused = await nbi.put(as.north.operator, 'a.bin', signers.south.minisig(CONTENT));
  t.is(refused.status, 422);
  t.like(detailsOf(refused), [{ field: 'signature', code: 'bad-signature' }]);
  // To north a key of south is as unknown as one of nobody.
  const stranger = newSigner();
  const ofNobody = await nbi.put(as.north.operator, 'a.bin', stranger.minisig(CONTENT));
  t.is(
    JSON.stringify(ofNobody.body).replaceAll(stranger.keyId, ''),
    JSON.stringify(refused.body).replaceAll(signers.south.keyId, ''),
  );
  t.is((await nbi.call('/v1/images/a.bin', { as: as.north.viewer })).status, 404);
  const created = await nbi.put(
    as.north.operator,
    'a.bin',
    signers.north.minisig(CONTENT, 'ED', 'version 2'),
  );
  t.is(created.status, 201);
  t.like(detailsOf(created), {
    signature: {
      algorithm: 'minisign',
      keyName: 'release',
      keyId: signers.north.keyId,
      trustedComment: 'version 2',
    },
  });
  t.is((await nbi.put(as.north.operator, 'b.bin', signers.installation.usign(CONTENT))).status, 201);
  t.is((await nbi.put(as.installation.operator, 's.bin', signers.north.minisig(CONTENT))).status, 422);
  t.is((await nbi.put(as.installation.operator, 's.bin', signers.installation.minisig(CONTENT))).status, 201);
});

test('a signature comes afterwards to images of one’s own, and not to shared ones or those of others', async (t) => {
  const nbi = await started(t);
  const { as, signers } = nbi;
  await nbi.put(as.north.operator, 'a.bin');
  await nbi.put(as.installation.operator, 's.bin');
  const ofNorth = signers.north.minisig(CONTENT);
  t.is((await nbi.sign(as.north.viewer, 'a.bin', ofNorth)).status, 403);
  t.is((await nbi.sign(as.south.operator, 'a.bin', signers.south.minisig(CONTENT))).status, 404);
  t.is((await nbi.sign(as.north.operator, 's.bin', signers.installation.minisig(CONTENT))).status, 403);
  t.is((await nbi.sign(as.north.operator, 'a.bin', Buffer.alloc(5_000))).status, 413);
  t.is((await nbi.sign(as.north.operator, 'a.bin', ofNorth)).status, 200);
  t.is((await nbi.sign(as.installation.operator, 'a.bin', ofNorth, '?organization=north')).status, 200);
  t.like(detailsOf(await nbi.call('/v1/images/a.bin', { as: as.north.viewer })), {
    signature: { keyId: signers.north.keyId },
  });
  const removed = await nbi.call('/v1/images/a.bin/signature', { method: 'DELETE', as: as.north.operator });
  t.is(removed.status, 200);
  t.false('signature' in (detailsOf(removed) as object));
});

test('an organization with keys is not removed: under its id they would hold again', async (t) => {
  const nbi = await started(t);
  const error = await t.throwsAsync(nbi.organizations.remove(nbi.north.id, { name: 'test', how: 'command' }));
  t.truthy(error);
  await nbi.removeKey(nbi.as.north.admin, 'release');
  const { slug } = nbi.north;
  t.like(await t.throwsAsync(nbi.organizations.remove(nbi.north.id, { name: 'test', how: 'command' })), {
    code: 'has-users',
  });
  t.is((await nbi.organizations.find(slug)).id, nbi.north.id);
});
