import test, { type ExecutionContext } from 'ava';
import { makeImage, type SimulatedCpe } from '../../cpe-sim/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  NEW_VERSION,
  OLD_VERSION,
  outcomes,
  PRODUCT_CLASS,
  type Result,
  requestSession,
  startListener,
  uploadImage,
} from './simulated.js';

const CPEID = cpeidOf('1');
/** The document's id is of the CPE, so every script has one for all upgrades of a CPE. */
const ID = `UPGRADE_${CPEID}`;
const RULES = '/v1/dyn/FirmwareStorage/.*';
const DONE = { code: 204, message: 'response from FirmwareStorage', details: '' };
const RESTART = `POST /v1/method/RestartRule with {"id":"${ID}"} begins anew`;

interface Posted {
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
}

/** A CPE under the version that it has now, known as such to a Ferry with images of A and B. */
async function switchedOn(t: ExecutionContext, { nbi, urls }: TestFerry, softwareVersion = OLD_VERSION) {
  const cpe = createCpe(t, urls.cwmp, '1', { listener: await startListener(t), softwareVersion });
  cpe.start();
  await reports(nbi, cpe, softwareVersion);
  return cpe;
}

async function reports(nbi: TestFerry['nbi'], cpe: SimulatedCpe, version: string): Promise<void> {
  await until(`it reports ${version}`, async () => {
    const { status, body } = await nbi('GET', `/v1/dyn/DeviceStorage/${CPEID}`);
    const [device] = status === 200 ? (body as { details: Record<string, unknown>[] }).details : [];
    return device?.['softwareVersion'] === version && device['provisioning'] === 'done' && !cpe.inSession;
  });
}

async function startWithImages(t: ExecutionContext): Promise<TestFerry> {
  const ferry = await startTestFerry(t);
  await uploadImage(t, ferry.nbi);
  const other = makeImage({ softwareVersion: '3.0.0', productClass: PRODUCT_CLASS, sizeBytes: 16 * 1024 });
  const path = `/v1/images/hgw-3.0.0.bin?softwareVersion=3.0.0&productClass=${PRODUCT_CLASS}`;
  t.is((await ferry.nbi('PUT', path, new Uint8Array(other))).status, 201);
  return ferry;
}

function ruleOf(version: string): Record<string, unknown> {
  return {
    id: ID,
    enabled: true,
    automatic: true,
    file: `hgw-${version}.bin`,
    condition: { cpeid: CPEID },
    executions: 1,
    priority: 1,
    author: 'api',
  };
}

async function shown({ nbi }: TestFerry, query = ''): Promise<readonly Result[]> {
  const { status, body } = await nbi('GET', `/v1/dyn/FirmwareResultStorage/.*?id=${ID}${query}`);
  return status === 200 ? (body as { details: Result[] }).details : [];
}

/** The first three calls of the document. @returns its result, the one that there is */
async function upgrade(
  t: ExecutionContext,
  ferry: TestFerry,
  cpe: SimulatedCpe,
  version: string,
): Promise<string> {
  const { nbi } = ferry;
  t.deepEqual((await nbi('POST', RULES, ruleOf(version))).body, DONE);
  t.deepEqual(await shown(ferry), [], 'of this revision there is none yet');
  await requestSession(t, nbi, cpe);
  const [result, ...others] = await until('it has ended', async () => {
    const found = await shown(ferry);
    return found.some(({ status }) => status) ? found : null;
  });
  t.deepEqual(others, []);
  t.is(cpe.softwareVersion, version);
  await until('the session is over', () => !cpe.inSession);
  return `${result?.result.code} ${result?.result.message}`;
}

const ENDINGS = {
  deletes: ({ nbi }: TestFerry) => nbi('DELETE', `/v1/dyn/FirmwareStorage/${ID}`),
  deactivates: ({ nbi }: TestFerry) =>
    nbi('PUT', `${RULES}?campaignid=${ID}`, { id: ID, enabled: false, automatic: false }),
} as const;

for (const [what, end] of Object.entries(ENDINGS)) {
  test(`a script that ${what} its rule and uses the id again, through A, B, A and B, upgrades the CPE each time`, async (t) => {
    const ferry = await startWithImages(t);
    const cpe = await switchedOn(t, ferry);
    const told: string[] = [];
    for (const version of [NEW_VERSION, '3.0.0', NEW_VERSION, '3.0.0']) {
      told.push(await upgrade(t, ferry, cpe, version));
      t.deepEqual((await end(ferry)).body, DONE);
    }
    const succeeded = (to: string, from: string) =>
      `200 Upgrade has succeeded: software version ${to}, before ${from}`;
    t.deepEqual(told, [
      succeeded(NEW_VERSION, OLD_VERSION),
      succeeded('3.0.0', NEW_VERSION),
      succeeded(NEW_VERSION, '3.0.0'),
      succeeded('3.0.0', NEW_VERSION),
    ]);
    t.is(commandKeys(cpe).length, 4);
    t.is((await shown(ferry, '&revision=all')).length, 4);
  });
}

test('the five calls, twice, on a CPE that was set back in between: the second time it is upgraded again', async (t) => {
  const ferry = await startWithImages(t);
  const cpe = await switchedOn(t, ferry);
  const first = await upgrade(t, ferry, cpe, NEW_VERSION);
  await ENDINGS.deactivates(ferry);
  await ENDINGS.deletes(ferry);
  await cpe.stop();
  const swapped = await switchedOn(t, ferry);
  t.is(await upgrade(t, ferry, swapped, NEW_VERSION), first);
  t.is(commandKeys(swapped).length, 1);
  t.is((await shown(ferry, '&revision=all')).length, 2);
});

test('posted again while the CPE is as it was upgraded nothing is sent, and the result stays', async (t) => {
  const ferry = await startWithImages(t);
  const cpe = await switchedOn(t, ferry);
  await upgrade(t, ferry, cpe, NEW_VERSION);
  const before = await shown(ferry);
  for (const end of Object.values(ENDINGS)) {
    await end(ferry);
    t.deepEqual((await ferry.nbi('POST', RULES, ruleOf(NEW_VERSION))).body, DONE);
    await requestSession(t, ferry.nbi, cpe);
    t.deepEqual(await shown(ferry), before);
  }
  t.is(commandKeys(cpe).length, 1);
});

test('a rule in force, and PUT, upgrade no CPE again that was set back: the answer says so, with the call that does', async (t) => {
  const ferry = await startWithImages(t);
  const { nbi } = ferry;
  const cpe = await switchedOn(t, ferry);
  await upgrade(t, ferry, cpe, NEW_VERSION);
  const [result] = await shown(ferry);
  await cpe.stop();
  const swapped = await switchedOn(t, ferry);
  const message = `the CPE ${CPEID} reports software version "${OLD_VERSION}" and is not upgraded again, as this rule has upgraded it already, result ${result?.id}: ${(await shown(ferry))[0]?.result.message}; ${RESTART}, and so does to delete the rule and post it again`;
  const warned = { ...DONE, warnings: [{ id: ID, code: 'not-again', message }] };
  const limited = { ...ruleOf(NEW_VERSION), limits: { concurrent: 2 } };
  t.deepEqual((await nbi('POST', RULES, ruleOf(NEW_VERSION))).body, warned);
  t.deepEqual((await nbi('POST', RULES, limited)).body, warned);
  t.deepEqual((await nbi('PUT', `${RULES}?id=${ID}`, { enabled: false })).body, DONE);
  t.deepEqual((await nbi('PUT', `${RULES}?id=${ID}`, { enabled: true })).body, warned);
  await requestSession(t, nbi, swapped);
  t.deepEqual(commandKeys(swapped), []);
  t.is((await shown(ferry)).length, 1, 'an edit of limits hides no result');
  t.is((await nbi('POST', '/v1/method/RestartRule', { id: ID })).status, 200);
  await requestSession(t, nbi, swapped);
  await until('it is upgraded', () => swapped.softwareVersion === NEW_VERSION);
});

test('no edit flashes a fleet twice: not deleting its rule and posting it again, nor files there and back', async (t) => {
  const ferry = await startWithImages(t);
  const { nbi } = ferry;
  const cpe = await switchedOn(t, ferry);
  const fleet = { ...ruleOf(NEW_VERSION), condition: { productClass: PRODUCT_CLASS } };
  await nbi('POST', RULES, fleet);
  await requestSession(t, nbi, cpe);
  await until('it is upgraded', async () => (await shown(ferry)).some(({ status }) => status));
  await cpe.stop();
  const swapped = await switchedOn(t, ferry);
  const codesOf = ({ body }: { readonly body: unknown }) =>
    (body as Posted).warnings?.map(({ code, message }) => `${code} ${message.includes('RestartRule')}`);
  const edits: readonly [() => Promise<{ readonly body: unknown }>, readonly string[] | undefined][] = [
    [() => nbi('POST', RULES, { ...fleet, limits: { concurrent: 5 } }), undefined],
    [() => ENDINGS.deletes(ferry), undefined],
    [() => nbi('POST', RULES, fleet), ['not-again true']],
    [() => ENDINGS.deactivates(ferry), undefined],
    [() => nbi('POST', RULES, fleet), ['not-again true']],
    [() => nbi('POST', RULES, { ...fleet, file: 'none.bin' }), undefined],
    [() => nbi('POST', RULES, fleet), ['not-again true']],
  ];
  for (const [edit, warnings] of edits) t.deepEqual(codesOf(await edit()), warnings);
  await requestSession(t, nbi, swapped);
  t.deepEqual(commandKeys(swapped), []);
  t.is((await outcomes(nbi, CPEID)).length, 1);
});

test('a rule whose executions on its CPE are used up says so when it is posted again', async (t) => {
  const ferry = await startWithImages(t);
  const { nbi, urls } = ferry;
  const cpe = createCpe(t, urls.cwmp, '1', {
    listener: await startListener(t),
    faults: ['transfer:9010'],
  });
  cpe.start();
  await reports(nbi, cpe, OLD_VERSION);
  await nbi('POST', RULES, ruleOf(NEW_VERSION));
  await requestSession(t, nbi, cpe);
  await until('it has failed', async () => (await shown(ferry))[0]?.status);
  await ENDINGS.deletes(ferry);
  const [result] = await shown(ferry);
  const message = `the CPE ${CPEID} reports software version "${OLD_VERSION}" and is not upgraded again, as this rule has had all its executions on it, result ${result?.id}: ${result?.result.message}; ${RESTART}`;
  t.deepEqual((await nbi('POST', RULES, ruleOf(NEW_VERSION))).body, {
    ...DONE,
    warnings: [{ id: ID, code: 'not-again', message }],
  });
});
