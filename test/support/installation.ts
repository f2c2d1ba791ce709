import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DEVICES, type Device, PARAMETERS, UPGRADES, type Upgrade } from '../../acs/index.js';
import { KEPT_COLLECTIONS } from '../../cli/collections.js';
import { loopbackConfig } from '../../cli/config.js';
import { type Ambient, type Installation, openInstallation } from '../../cli/installation.js';
import { type CpeId, type ResultId, silentLogger, systemClock } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { openRules } from '../../rules/index.js';
import type { Document, Store } from '../../store/index.js';
import { withMetadata } from '../firmware/formats/images.js';
import { BY } from '../support/actor.js';
import { testSecrets } from './secrets.js';

const BATCH = 250;

/** An installation in a data directory, with its documents in a database where one is named. */
export function openTestInstallation(
  dataDir: string,
  given: Record<string, unknown> = {},
  ambient: Pick<Ambient, 'databaseTimeoutMs'> = {},
): Promise<Installation> {
  return openInstallation(loopbackConfig(dataDir, { secretFile: join(dataDir, 'secret.key'), ...given }), {
    clock: systemClock,
    logger: silentLogger,
    ...ambient,
  });
}

/** Makes so many CPEs known, each with a data model, a pinned rule and a result; every tenth has an upgrade under way. */
export async function populate({ store, images, users }: Installation, cpes: number): Promise<void> {
  await users.add({ name: 'op', password: 'a test password', role: 'operator' });
  for (const name of ['a.bin', 'b.bin']) {
    await images.upload({
      metadata: { name, softwareVersion: '2.0.0' },
      content: Readable.from([Buffer.alloc(100_000, 'firmware')]),
      by: BY,
      uploadedBy: 'test',
    });
  }
  // Of which its file says more than whoever has uploaded it, and something else.
  const content = Readable.from([withMetadata(randomBytes(300_000))]);
  const metadata = { name: 'c.bin', softwareVersion: '1', boards: ['other,board'] };
  await images.upload({ metadata, content, by: BY, uploadedBy: 'test' });
  // Of an organization, under the name of a shared one: with a content of its own, and with one that others have.
  for (const [name, content] of [
    ['a.bin', randomBytes(1_000)],
    ['b.bin', Buffer.alloc(100_000, 'firmware')],
  ] as const) {
    await images.upload({
      metadata: { name },
      organization: '1a111111-1111-4111-8111-111111111111',
      content: Readable.from([content]),
      // No such organization need be there.
      by: null,
      uploadedBy: 'test',
    });
  }
  const rules = await openRules({
    store,
    clock: systemClock,
    logger: silentLogger,
    secrets: testSecrets,
    resolveFile: async () => ({ softwareVersion: '2.0.0' }),
  });
  for (let done = 0; done < cpes; done += BATCH) {
    const cpeids = Array.from({ length: Math.min(BATCH, cpes - done) }, (_, at) => cpeidOf(done + at));
    await rules.put(
      cpeids.map((cpeid) => ({ id: `rule-${cpeid}`, file: 'a.bin', condition: { cpeid }, enabled: true })),
      { by: byCommand('test'), onlyNew: false },
    );
    await store.commit(cpeids.flatMap((cpeid, at) => documentsOf(store, cpeid, done + at)));
  }
  await rules.close();
}

function documentsOf(store: Store, cpeid: CpeId, index: number) {
  const upgrade = upgradeOf(cpeid, index);
  return [
    store.collection<Device>(DEVICES).putting(deviceOf(cpeid, upgrade)),
    store
      .collection(PARAMETERS)
      .putting({ id: `${cpeid}/DeviceInfo`, values: { Ünicode: 'ß\n"', n: index } } as Document),
    store.collection<Upgrade>(UPGRADES).putting(upgrade),
  ];
}

export function cpeidOf(index: number): CpeId {
  return `00A1B2-HGW-${String(index).padStart(7, '0')}` as CpeId;
}

export function deviceOf(cpeid: CpeId, upgrade: Upgrade | null): Device {
  return {
    id: cpeid,
    manufacturer: 'Acme Networks',
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: cpeid.slice(-7),
    softwareVersion: '1.0.0',
    root: 'Device',
    namespace: 'urn:dslforum-org:cwmp-1-0',
    ip: '127.0.0.1',
    provisioning: 'done',
    registeredMs: 1_700_000_000_000,
    lastInformMs: 1_700_000_000_000,
    lastEvents: ['2 PERIODIC'],
    tags: ['x', 'y'],
    counts: {},
    informDigest: '',
    ...(upgrade?.status === false && { inFlight: upgrade.id }),
  };
}

export function upgradeOf(cpeid: CpeId, index: number): Upgrade {
  const status = index % 10 !== 0;
  const id = `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000` as ResultId;
  return {
    id,
    commandKey: id.replaceAll('-', ''),
    cpeid,
    campaignid: `rule-${cpeid}`,
    countKey: 'key',
    ruleDescription: '',
    file: 'a.bin',
    targetVersion: '2.0.0',
    fromVersion: '1.0.0',
    state: status ? 'verified' : 'accepted',
    status,
    result: { code: status ? 200 : 202, message: '' },
    startedAtMs: 1_700_000_000_000 + index,
    updatedAtMs: 1_700_000_000_000 + index,
    ...(!status && { deadlineAtMs: 4_000_000_000_000 }),
    // Where several organizations share an installation some are of others than the default.
    ...(index % 10 === 9 && { organization: 'an organization', writtenCampaignid: `rule-${cpeid}` }),
    stateMsMax: { sent: 1, accepted: 1, transferred: 1 },
  } as unknown as Upgrade;
}

/** Every document of a store, by collection, but for what a restore must leave behind of its own. */
export async function* everyDocument(
  store: Store,
): AsyncGenerator<{ readonly in: string; readonly document: Document }> {
  for (const definition of KEPT_COLLECTIONS) {
    for await (const { document } of store.collection(definition).scan({})) {
      if (document.id !== 'master-key') yield { in: definition.name, document };
    }
  }
}
