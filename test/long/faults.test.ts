import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { ConnectionRequestListener } from '../../cpe-sim/index.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  NEW_VERSION,
  OLD_VERSION,
  outcomes,
  postRule,
  SUCCESS,
  sessionsEnded,
  startListener,
  uploadImage,
} from '../e2e/simulated.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';

/** What a CPE with these faults does to its rule. Nothing in it depends on how fast the machine is. */
interface Row {
  readonly faults: readonly string[];
  /** Fields of the rule besides those of every row. */
  readonly rule?: Readonly<Record<string, unknown>>;
  /** The results in the end, oldest first. */
  readonly results: readonly string[];
  /** How many distinct CommandKeys the CPE has read in the end. */
  readonly commandKeys: number;
  /** The version it runs in the end; the new one unless told. */
  readonly version?: string;
  readonly rebootMs?: number;
  /** It is not heard of again, so no further session of it can be waited for. */
  readonly isGone?: true;
}

/** Longer than any row takes, however slow the machine; rows that are to time out have one that is short. */
const DEADLINES = { sentMinutes: 5, acceptedMinutes: 5, transferredMinutes: 5 };
const SHORT_MINUTES = 0.02;
const SHORT = '1.2 s';
/** For all rows at once, on a machine that has more to do. */
const WAIT_MS = 60_000;
const AT_ONCE = { afterMinutes: 0.000_01, factor: 1, maxHours: 1 };

const NOT_ANSWERED = `408 Upgrade has timed out: the device did not answer the Download within ${SHORT}`;
const NOT_REPORTED = `408 Upgrade has timed out: the device did not report the end of the transfer within ${SHORT}`;
const NOT_HEARD_OF = `408 Upgrade has timed out: the device was not heard of after the transfer within ${SHORT}`;
const STILL_OLD = `500 Upgrade has failed: the device reports software version ${OLD_VERSION} instead of ${NEW_VERSION}`;
const VERIFIED = `200 ${SUCCESS}`;
const VERIFIED_AGAIN = `${VERIFIED}; the Download was sent again once, as it did not seem to have reached the device`;
const NOT_REACHED = '500 Upgrade has failed: the Download does not seem to have reached the device';
const IN_VAIN = '500 Upgrade has failed: the Download was sent 6 times, and the device has none of them';

function failed(code: number, text: string): string {
  return `500 Upgrade has failed with FaultCode ${code}. FaultString: ${text}`;
}

const DENIED = failed(9001, 'Request denied');
const BUSY = failed(9004, 'Resources exceeded');
const NOT_FOUND = failed(9010, 'Download failure. File not found.');

const ROWS: Readonly<Record<string, Row>> = {
  'no fault at all': { faults: [], results: [VERIFIED], commandKeys: 1 },

  'refuses the Download': {
    faults: ['refuse:9001'],
    results: [DENIED],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'refuses the first of two executions': {
    faults: ['refuse:9001:1'],
    rule: { executions: 2, retry: AT_ONCE },
    results: [DENIED, VERIFIED],
    commandKeys: 2,
  },
  'refuses all of three executions': {
    faults: ['refuse:9001'],
    rule: { executions: 3, retry: AT_ONCE },
    results: [DENIED, DENIED, DENIED],
    commandKeys: 3,
    version: OLD_VERSION,
  },
  'is busy twice, which uses up no execution': {
    faults: ['refuse:9004:2'],
    rule: { retry: AT_ONCE },
    results: [BUSY, BUSY, VERIFIED],
    commandKeys: 3,
  },
  'is busy all the time: five are given back, the sixth counts': {
    faults: ['refuse:9004'],
    rule: { retry: AT_ONCE },
    results: [BUSY, BUSY, BUSY, BUSY, BUSY, BUSY],
    commandKeys: 6,
    version: OLD_VERSION,
  },

  'fails the transfer, 9010': {
    faults: ['transfer:9010'],
    results: [NOT_FOUND],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'fails the transfer, 9016': {
    faults: ['transfer:9016'],
    results: [failed(9016, 'Download failure: unable to access file')],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'fails the transfer, 9018': {
    faults: ['transfer:9018'],
    results: [failed(9018, 'Download failure: file corrupted')],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'fails the transfer with a text that XML and JSON must escape': {
    faults: ['transfer:9801:<a> & "b" \\ ü'],
    results: [failed(9801, '<a> & "b" \\ ü')],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'fails every transfer, of two executions': {
    faults: ['transfer:9010'],
    rule: { executions: 2, retry: AT_ONCE },
    results: [NOT_FOUND, NOT_FOUND],
    commandKeys: 2,
    version: OLD_VERSION,
  },

  'never answers the Download': {
    faults: ['hang'],
    results: [IN_VAIN],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'never answers the Download, nor what it has queued': {
    faults: ['hang', 'slow-queue:600000'],
    rule: { deadlines: { ...DEADLINES, sentMinutes: SHORT_MINUTES } },
    results: [NOT_ANSWERED],
    commandKeys: 1,
    version: OLD_VERSION,
    isGone: true,
  },
  'does not answer the Download the first time': {
    faults: ['hang:1'],
    rule: { executions: 2, retry: AT_ONCE },
    results: [VERIFIED_AGAIN],
    commandKeys: 1,
  },
  'breaks off before it has read the InformResponse': {
    faults: ['drop:inform-response:2'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'breaks off before it has read the Download': {
    faults: ['drop:download'],
    results: [VERIFIED_AGAIN],
    commandKeys: 1,
  },
  'breaks off before it has read the Download, and the rule rather fails': {
    faults: ['drop:download'],
    rule: { onDoubt: 'fail' },
    results: [NOT_REACHED],
    commandKeys: 0,
    version: OLD_VERSION,
  },
  'breaks off before it has read the first of two Downloads, and the rule rather fails': {
    faults: ['drop:download'],
    rule: { onDoubt: 'fail', executions: 2, retry: AT_ONCE },
    results: [NOT_REACHED, VERIFIED],
    commandKeys: 1,
  },
  'breaks off before it has read the Download, and knows only the older question': {
    faults: ['drop:download', 'unsupported:GetAllQueuedTransfers'],
    results: [VERIFIED_AGAIN],
    commandKeys: 1,
  },
  'breaks off before it has read the Download, and cannot be asked': {
    faults: ['drop:download', 'unsupported:GetAllQueuedTransfers', 'unsupported:GetQueuedTransfers'],
    results: [VERIFIED_AGAIN],
    commandKeys: 1,
  },
  'breaks off before it has read the Download, cannot be asked, and the rule rather fails': {
    faults: ['drop:download', 'unsupported:GetAllQueuedTransfers', 'unsupported:GetQueuedTransfers'],
    rule: { onDoubt: 'fail' },
    results: [NOT_REACHED],
    commandKeys: 0,
    version: OLD_VERSION,
  },
  'downloads without having answered, and tells only slowly': {
    faults: ['drop:download-response', 'slow-queue:300'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'downloads without having answered, and cannot be asked': {
    faults: ['drop:download-response', 'unsupported:GetAllQueuedTransfers', 'unsupported:GetQueuedTransfers'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'downloads without having answered, and the rule rather fails': {
    faults: ['drop:download-response'],
    rule: { onDoubt: 'fail' },
    results: [VERIFIED],
    commandKeys: 1,
  },
  'downloads without having answered, and forgets in the reboot that it has': {
    faults: ['drop:download-response', 'forget-queue'],
    results: [VERIFIED],
    commandKeys: 1,
  },

  'breaks off instead of answering the Download, and downloads all the same': {
    faults: ['drop:download-response'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'breaks off instead of answering the Download, and fails': {
    faults: ['drop:download-response', 'transfer:9010'],
    results: [NOT_FOUND],
    commandKeys: 1,
    version: OLD_VERSION,
  },

  'reports after its time was up, which corrects the result': {
    faults: ['drop:download-response'],
    rebootMs: 4_000,
    rule: { deadlines: { ...DEADLINES, sentMinutes: SHORT_MINUTES } },
    results: [VERIFIED],
    commandKeys: 1,
  },

  'reports before it reboots': { faults: ['early-complete'], results: [VERIFIED], commandKeys: 1 },
  'reports in the session of the Download': {
    faults: ['same-session-complete'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'fails in the session of the Download': {
    faults: ['same-session-complete', 'transfer:9010'],
    results: [NOT_FOUND],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'answers that it is done already, Status 0': {
    faults: ['status-zero'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'answers Status 0, and comes back as it was': {
    faults: ['status-zero', 'old-version'],
    results: [STILL_OLD],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'reports twice': { faults: ['complete-twice'], results: [VERIFIED], commandKeys: 1 },
  'reports failure twice': {
    faults: ['complete-twice', 'transfer:9010'],
    results: [NOT_FOUND],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'reports twice before it reboots': {
    faults: ['complete-twice', 'early-complete'],
    results: [VERIFIED],
    commandKeys: 1,
  },
  'reports long after it has come back': {
    faults: ['late-complete:1000'],
    results: [VERIFIED],
    commandKeys: 1,
  },

  'reports success, and comes back as it was': {
    faults: ['old-version'],
    // Long enough for several periodic Informs: it must have been heard of with the old version.
    rule: { deadlines: { ...DEADLINES, transferredMinutes: 0.1 } },
    results: [STILL_OLD],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'reports success before it reboots, and comes back as it was': {
    faults: ['early-complete', 'old-version'],
    results: [STILL_OLD],
    commandKeys: 1,
    version: OLD_VERSION,
  },
  'comes back as it was, from each of two executions': {
    faults: ['early-complete', 'old-version'],
    rule: { executions: 2, retry: AT_ONCE },
    results: [STILL_OLD, STILL_OLD],
    commandKeys: 2,
    version: OLD_VERSION,
  },
  'is not heard of again': {
    faults: ['never-back'],
    rule: { deadlines: { ...DEADLINES, acceptedMinutes: SHORT_MINUTES } },
    results: [NOT_REPORTED],
    commandKeys: 1,
    version: OLD_VERSION,
    isGone: true,
  },
  'reports success, and is not heard of again': {
    faults: ['early-complete', 'never-back'],
    rule: { deadlines: { ...DEADLINES, transferredMinutes: SHORT_MINUTES } },
    results: [NOT_HEARD_OF],
    commandKeys: 1,
    version: OLD_VERSION,
    isGone: true,
  },
};

test('every way in which a CPE can misbehave has its result, and gets no more Downloads than its rule allows', async (t) => {
  const ferry = await startTestFerry(t, {
    // The interval is what a CPE is given to say of itself that it has its Download.
    acsOptions: {
      sweepIntervalMs: 1_000,
      provisioning: { periodicInformSeconds: 1, setCredentials: true, giveLogins: false },
    },
  });
  await uploadImage(t, ferry.nbi);
  const listener = await startListener(t);
  const names = Object.keys(ROWS);
  await postRule(
    t,
    ferry.nbi,
    names.map((name, index) => ({
      id: name,
      file: IMAGE_NAME,
      condition: { cpeid: cpeidOf(`${index}`) },
      deadlines: DEADLINES,
      ...ROWS[name]?.rule,
    })),
  );
  const wrong = await Promise.all(
    Object.entries(ROWS).map(async ([name, row], index) => {
      const { results, commandKeys, version = NEW_VERSION } = row;
      const expected = { results, commandKeys, version };
      const found = await runRow(t, ferry, listener, `${index}`, row);
      return isDeepStrictEqual(found, expected) ? [] : [{ name, expected, found }];
    }),
  );
  t.deepEqual(wrong.flat(), []);
  t.deepEqual(await devicesInFlight(ferry), []);
});

async function runRow(
  t: ExecutionContext,
  ferry: TestFerry,
  listener: ConnectionRequestListener,
  serial: string,
  { faults, results, isGone, rebootMs = 50 }: Row,
) {
  const cpe = createCpe(t, ferry.urls.cwmp, serial, {
    faults,
    listener,
    rebootMs,
    periodicIntervalMs: 300,
    silenceMsMax: 100,
  });
  const reportsLate = faults.some((fault) => fault.startsWith('late-complete'));
  const reported = reportsLate ? once(cpe.events, 'transfer-complete-sent') : null;
  cpe.start();
  const read = () => outcomes(ferry.nbi, cpeidOf(serial));
  // What does not come shows in the comparison of all rows, with what came in its place.
  const areThere = async () => `${await read()}` === `${results}`;
  await until('its results are there', areThere, WAIT_MS).catch(() => {});
  await reported;
  // So much later that whatever more it was going to do, it would have done.
  if (isGone === undefined) await sessionsEnded(cpe, 3);
  return {
    results: await read(),
    commandKeys: commandKeys(cpe).length,
    version: cpe.softwareVersion,
  };
}

async function devicesInFlight(ferry: TestFerry): Promise<string[]> {
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*');
  const devices = (body as { details: { cpeid: string; upgrade: string | null }[] }).details;
  return devices.filter(({ upgrade }) => upgrade !== null).map(({ cpeid }) => cpeid);
}
