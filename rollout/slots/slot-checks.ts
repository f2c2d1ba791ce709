import type { Device } from '../../acs/index.js';
import { runsTarget } from '../../common/index.js';
import { compareVersions, type MatchFinding } from '../../rules/index.js';
import type { CpeUpgrade, CpeUpgradesNow, VerifiedUpgrade } from '../cpe-upgrades/index.js';
import type { Slot, SlotTest } from './slot.js';

/** What is known when a slot is tested. */
export interface TestFacts {
  readonly slot: Slot;
  readonly device: Device;
  /** It is to be enrolled first. */
  readonly isWaiting: boolean;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** What came of calling the CPE; null: it was not called. */
  readonly called: { readonly hasTold: boolean } | { readonly whyNot: string } | null;
  /** What a rule would come to that sends the slot's image to this CPE; null where there is none to send. */
  readonly finding: MatchFinding | null;
  readonly now: CpeUpgradesNow;
  /** The upgrade that was verified last; null: none was. */
  readonly verified: VerifiedUpgrade | null;
}

/** One of the areas that are looked at: what was found out, or why it fails. */
interface Check {
  readonly name: string;
  readonly notes: readonly string[];
  readonly failure: string | null;
}

type Checking = (facts: TestFacts) => Omit<Check, 'name'>;

const CHECKS: Readonly<Record<string, Checking>> = {
  Device: checkDevice,
  Version: checkVersion,
  Storage: checkStorage,
  Configuration: checkConfiguration,
  Hardware: checkHardware,
  Tainted: checkTainted,
  Upgrade: checkUpgrades,
};

/** Looks at all areas, also behind one that fails: who reads it mends all at once. */
export function checkSlot(facts: TestFacts): SlotTest {
  const checks = Object.entries(CHECKS).map(([name, look]): Check => ({ name, ...look(facts) }));
  return {
    passed: checks.every(({ failure }) => failure === null),
    lines: checks.flatMap(linesOf),
  };
}

function linesOf({ name, notes, failure }: Check): readonly string[] {
  return [
    `${name} check started`,
    ...notes.map((note) => `${name} check: ${note}`),
    failure === null ? `${name} check finished` : `${name} check failed: ${failure}`,
  ];
}

function passed(...notes: readonly string[]): Omit<Check, 'name'> {
  return { notes, failure: null };
}

function failed(failure: string): Omit<Check, 'name'> {
  return { notes: [], failure };
}

function unread(what: string): Omit<Check, 'name'> {
  return passed(`could not be read: ${what}`);
}

function checkDevice({ called, device }: TestFacts): Omit<Check, 'name'> {
  const told = `what it told at ${new Date(device.lastInformMs).toISOString()} is looked at`;
  if (called === null) return passed(told);
  if ('whyNot' in called) return unread(`${called.whyNot}; ${told}`);
  return called.hasTold
    ? passed(`the CPE came; ${told}`)
    : unread(`the CPE came, and has not told of its slots and its storage in time; ${told}`);
}

/** A step back is no fault: Ferry has no policy against it but what rules say. */
function checkVersion({ slot: { content }, device, finding }: TestFacts): Omit<Check, 'name'> {
  if (content?.image === null)
    return failed(
      'the CPE alone has this firmware, and Ferry activates none that it has not sent: upload its file',
    );
  const [from = '', to = ''] = [device.softwareVersion, content?.version];
  if (from === '') return unread('the CPE has reported no SoftwareVersion');
  if (finding?.verdict === 'at-target' || from === to) return passed(`it runs ${from} already`);
  if (content?.isVersionKnown === false)
    return unread(`nobody has said which version ${to} is; the CPE runs ${from}`);
  const order = compareVersions(to, from);
  const word = order > 0 ? 'newer than' : order < 0 ? 'older than' : 'another than';
  return passed(`${to} is ${word} ${from}`);
}

const KIB = 1024;
const MIB = 1024 * 1024;
const DISK_SPACE =
  /^(?:Device|InternetGatewayDevice)\.SoftwareModules\.ExecEnv\.[1-9]\d{0,8}\.AvailableDiskSpace$/;
const VOLUME =
  /^((?:Device|InternetGatewayDevice)\.Services\.StorageService\.[1-9]\d{0,8}\.LogicalVolume\.[1-9]\d{0,8}\.)(Capacity|UsedSpace)$/;

/**
 * By TR-181 SoftwareModules (KiB) and TR-140 LogicalVolume (MiB), where the CPE has told of them: the largest of what is free. It fails nothing: firmware
 * need not go there, and what was told may be long ago.
 */
function checkStorage({ slot: { content }, parameters }: TestFacts): Omit<Check, 'name'> {
  const sizeBytes = content?.image?.sizeBytes;
  if (sizeBytes === undefined) return unread('the size of this firmware is not known');
  const free = freeBytesIn(parameters);
  if (free === null) return unread('the CPE has told no parameter of its free storage');
  return passed(`the firmware has ${sizeBytes} bytes, and the CPE has told of ${free} free`);
}

function freeBytesIn(parameters: TestFacts['parameters']): number | null {
  const found: number[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (DISK_SPACE.test(name)) found.push(Number(value) * KIB);
    const [, volume, field] = VOLUME.exec(name) ?? [];
    if (volume === undefined || field !== 'Capacity') continue;
    const used = parameters[`${volume}UsedSpace`];
    if (used !== undefined) found.push((Number(value) - Number(used)) * MIB);
  }
  // -1: the CPE cannot tell (TR-181, SoftwareModules.ExecEnv).
  const told = found.filter((bytes) => Number.isFinite(bytes) && bytes >= 0);
  return told.length === 0 ? null : Math.max(...told);
}

function checkConfiguration({ finding, isWaiting }: TestFacts): Omit<Check, 'name'> {
  if (isWaiting) return failed('the CPE waits to be enrolled');
  switch (finding?.verdict) {
    case undefined:
      return unread('there is no file to hold against it');
    case 'image-missing':
    case 'image-not-signed':
    case 'other-organization':
      return failed(finding.detail ?? finding.verdict);
    case 'frozen':
      return passed('upgrades are frozen: nothing is sent before FreezeUpgrades lets go of them');
    case 'lower-priority':
      return passed(finding.detail ?? 'another rule goes before it');
    default:
      return passed();
  }
}

function checkHardware({ finding }: TestFacts): Omit<Check, 'name'> {
  switch (finding?.verdict) {
    case undefined:
      return unread('there is no file to hold against it');
    case 'image-does-not-fit':
      return failed(finding.detail ?? 'the image does not fit');
    case 'parameters-unread':
      return unread(finding.detail ?? 'the CPE would first be asked for its board');
    default:
      return passed();
  }
}

/** What was changed by other means than upgrades is no hindrance: it would have to be upgraded by hand ever after. */
function checkTainted({ verified, device: { softwareVersion = '' } }: TestFacts): Omit<Check, 'name'> {
  if (verified === null) return unread('no upgrade of Ferry has brought what the CPE runs');
  const { reported, version } = verified;
  if (version === null) return unread('what the last upgrade of Ferry has brought is not known');
  const isAsBrought =
    reported === null ? runsTarget(softwareVersion, { version, isRead: true }) : reported === softwareVersion;
  return isAsBrought
    ? passed()
    : passed(
        `the last upgrade has brought ${reported ?? version}, and the CPE reports ${softwareVersion}: it was changed by other means`,
      );
}

function checkUpgrades({ now: { running, waiting }, slot }: TestFacts): Omit<Check, 'name'> {
  const [other] = [running, waiting].filter((each) => each !== null && hinders(each, slot));
  if (other == null) return passed();
  const [what, whose] = [other.stage === 'waiting' ? 'waits' : 'is under way', other.through ?? 'a rule'];
  return failed(
    `another upgrade ${what}, to ${other.targetVersion ?? other.file} (begun through ${whose}): it is to end, or be cancelled, first`,
  );
}

/** What this API has begun gives way as long as nothing was sent; a rule that somebody wrote is held to its priority. */
function hinders(upgrade: CpeUpgrade, { content }: Slot): boolean {
  if (upgrade.through === 'firmware-slots') {
    const isThis = upgrade.image?.number === content?.image?.number;
    return upgrade.stage !== 'waiting' && !isThis;
  }
  return upgrade.stage !== 'waiting' || upgrade.batch !== null;
}
