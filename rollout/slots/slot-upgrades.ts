import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionRequests, Device, Devices } from '../../acs/index.js';
import { type BatchId, type Clock, SECOND_MS } from '../../common/index.js';
import type { MatchFinding, Rules } from '../../rules/index.js';
import { type Change, untilCommitted } from '../../store/index.js';
import { BatchError } from '../batches/index.js';
import type { CpeUpgrade, CpeUpgrades } from '../cpe-upgrades/index.js';
import { hasOperationEnded, type Operations } from '../operations/index.js';
import type { SlotLibrary } from './known-images.js';
import type { FilledSlot, SlotTest, SlotTestOptions, SlotUpgradeOptions } from './slot.js';
import { checkSlot, type TestFacts } from './slot-checks.js';
import type { BegunUpgrade } from './slot-record.js';

/** A slot in which something stands, and what is kept beside it. */
export interface SlotAt {
  readonly slot: FilledSlot;
  /** Of the device; null: the default, which nobody has made yet. */
  readonly organization: string | null;
  /** What was begun here last. */
  readonly begun: BegunUpgrade | null;
  /** Keeps what is begun now; refused where anything has moved since this was read. */
  keeping(upgrade: BegunUpgrade): Change;
}

export interface SlotUpgradesParts {
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'isWaiting' | 'parameters' | 'describe' | 'want'>;
  readonly connectionRequests: Pick<ConnectionRequests, 'wake'>;
  readonly rules: Pick<Rules, 'match'>;
  readonly upgrades: CpeUpgrades;
  readonly operations: Pick<Operations, 'of'>;
  readonly library: Pick<SlotLibrary, 'get'>;
  /** @throws SlotError `no-slot`, `empty-slot` */
  of(device: Device, key: string): Promise<SlotAt>;
}

/** So long a client waits for a CPE that is called. */
const CALL_MS_MAX = 10 * SECOND_MS;
/** What it is asked for then: its slots, and what is free. */
const LIVE_PATHS = [
  'DeviceInfo.FirmwareImage.',
  'DeviceInfo.ActiveFirmwareImage',
  'DeviceInfo.BootFirmwareImage',
  'SoftwareModules.ExecEnv.',
  'Services.StorageService.',
];
/** How often it is looked whether a CPE that has consented has come. */
const LOOK_MS = 100;

/** What this API has begun and has not ended. */
interface OwnUpgrade extends Pick<CpeUpgrade, 'batch' | 'operation' | 'through'> {
  /** The number of its image; null where that is gone. */
  readonly image: number | null;
}

/** Whether CPEs can be upgraded to what stands in their slots, and how that is begun. */
export class SlotUpgrades {
  readonly #parts: SlotUpgradesParts;

  constructor(parts: SlotUpgradesParts) {
    this.#parts = parts;
  }

  async test(device: Device, key: string, options: SlotTestOptions): Promise<SlotTest> {
    const called = await this.#called(device, key, options);
    return checkSlot(await this.#facts(device, await this.#parts.of(device, key), called));
  }

  async upgrade(device: Device, key: string, options: SlotUpgradeOptions): Promise<SlotTest> {
    const called = await this.#called(device, key, options);
    return untilCommitted(`The slots of ${device.id}`, async () => {
      // Read before all else: whoever begins another upgrade meanwhile moves it, and then all is looked at anew.
      const at = await this.#parts.of(device, key);
      const facts = await this.#facts(device, at, called);
      const test = checkSlot(facts);
      return test.passed ? this.#begun(device, at, { facts, test }, options) : test;
    });
  }

  /** @returns undefined where something has moved meanwhile */
  async #begun(
    device: Device,
    at: SlotAt,
    { facts, test }: { readonly facts: TestFacts; readonly test: SlotTest },
    options: SlotUpgradeOptions,
  ): Promise<SlotTest | undefined> {
    const { current, content } = at.slot;
    const { image } = content;
    const own = await this.#own(device, at, facts);
    const same = current ? undefined : own.find((each) => each.image === image?.number);
    const others = own.filter((each) => each !== same);
    // Whoever asks twice has it once; what the CPE runs needs none.
    if (same !== undefined || current || image === null)
      return (await this.#withdrawn(others, options)) ? test : sentJustThen(test);
    const started = await this.#started(device, at, image, options);
    if (started === null) return undefined;
    // In this order: where nothing can be begun, what was begun before stays.
    if (await this.#withdrawn(others, options)) return test;
    const operation = await this.#parts.operations.of(started, device.id);
    const through = 'firmware-slots' as const;
    if (operation !== null)
      await this.#parts.upgrades.withdraw({ batch: started, operation: operation.id, through }, options.by);
    return sentJustThen(test);
  }

  /** @returns its batch; null where something has moved meanwhile */
  async #started(
    device: Device,
    { organization, keeping }: SlotAt,
    { name, number = 0 }: NonNullable<FilledSlot['content']['image']>,
    { note, by }: SlotUpgradeOptions,
  ): Promise<BatchId | null> {
    try {
      const batch = await this.#parts.upgrades.start(
        {
          cpeids: [device.id],
          image: name,
          imageNumber: number,
          through: 'firmware-slots',
          ...(note !== null && { note }),
          ...(organization !== null && { organization }),
          along: (batch) => [keeping({ batch, image: number })],
        },
        by,
      );
      return batch.id;
    } catch (error) {
      if (error instanceof BatchError && error.code === 'moved') return null;
      throw error;
    }
  }

  /** Also what was begun a moment ago, which nobody else need see yet. */
  async #own({ id }: Device, { begun }: SlotAt, { now }: TestFacts): Promise<readonly OwnUpgrade[]> {
    const seen = [now.running, now.waiting]
      .filter((each) => each?.through === 'firmware-slots')
      .flatMap((each) => (each === null ? [] : [{ ...each, image: each.image?.number ?? null }]));
    const last = begun === null ? null : await this.#parts.operations.of(begun.batch, id);
    if (begun === null || last === null || hasOperationEnded(last)) return seen;
    if (seen.some(({ operation }) => operation === last.id)) return seen;
    return [
      ...seen,
      { batch: begun.batch, operation: last.id, through: 'firmware-slots', image: begun.image },
    ];
  }

  /** @returns false where one of them was sent, or has ended, just then */
  async #withdrawn(upgrades: readonly OwnUpgrade[], { by }: SlotUpgradeOptions): Promise<boolean> {
    let areWithdrawn = true;
    for (const each of upgrades) if (!(await this.#parts.upgrades.withdraw(each, by))) areWithdrawn = false;
    return areWithdrawn;
  }

  async #facts(
    known: Device,
    { slot, organization }: SlotAt,
    called: TestFacts['called'],
  ): Promise<TestFacts> {
    const { devices, upgrades } = this.#parts;
    const device = (await devices.get(known.id)) ?? known;
    const [parameters, finding, now, verified] = await Promise.all([
      devices.parameters(device.id),
      this.#finding(device, slot, organization),
      upgrades.now(device.id),
      upgrades.verified(device.id, 1),
    ]);
    return {
      slot,
      device,
      isWaiting: devices.isWaiting(device),
      parameters,
      called,
      finding,
      now,
      verified: verified[0] ?? null,
    };
  }

  /** Has the CPE come: with its Inform it tells what it runs, and it is asked for its slots and its storage. Null: that is not asked. @throws SlotError `no-slot`, `empty-slot` */
  async #called(known: Device, key: string, { live, signal }: SlotTestOptions): Promise<TestFacts['called']> {
    if (!live) return null;
    const { connectionRequests, devices, of } = this.#parts;
    // Nobody is called for a slot that there is not.
    await of(known, key);
    const { id, lastInformMs } = known;
    const over = AbortSignal.any([signal, AbortSignal.timeout(CALL_MS_MAX)]);
    await devices.want(id, LIVE_PATHS);
    const { code, message } = await connectionRequests.wake(id, over);
    if (code !== 200) return { whyNot: message };
    let hasCome = false;
    while (!over.aborted) {
      const device = await devices.get(id);
      hasCome ||= device !== null && device.lastInformMs !== lastInformMs;
      if (device !== null && hasCome) {
        if (!isStillAsked(device)) return { hasTold: true };
        // Before that has ended nothing is asked.
        if (device.inFlight !== undefined || devices.isWaiting(device)) break;
      }
      await delay(LOOK_MS, undefined, { signal: over }).catch(() => {});
    }
    return hasCome
      ? { hasTold: false }
      : { whyNot: 'the CPE has consented to come, and has not come in time' };
  }

  /** What a session would make of a rule for this CPE and image alone. */
  async #finding(
    device: Device,
    { content: { image } }: FilledSlot,
    organization: string | null,
  ): Promise<MatchFinding | null> {
    const { rules, devices, library, clock } = this.#parts;
    if (image === null) return null;
    const described = await devices.describe(device.id, { nowMs: clock() });
    if (described === null) return null;
    const owned = organization === null ? {} : { organization };
    // By the name that the batch will have it, as whose the batch will be.
    if ((await library.get(image.name, owned.organization))?.id !== image.id) {
      const detail = `another image is called ${image.name} in the organization of the device`;
      return { matches: false, verdict: 'image-missing', detail };
    }
    const match = await rules.match({
      draft: { id: DRAFT_ID, file: image.name, condition: { cpeid: device.id } },
      ...owned,
    });
    return match.judge(described.input);
  }
}

function isStillAsked({ root, wantedPaths, unansweredPaths }: Device): boolean {
  if (wantedPaths !== undefined) return true;
  return LIVE_PATHS.some((path) => unansweredPaths?.paths.includes(`${root}.${path}`) === true);
}

function sentJustThen({ lines }: SlotTest): SlotTest {
  const failure = 'Upgrade check failed: the upgrade that was begun before was sent just then';
  return { passed: false, lines: [...lines.slice(0, -1), failure] };
}

/** Of the rule that is not stored. */
const DRAFT_ID = 'firmware-slots-test';
