import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionRequests, Device, Devices } from '../../acs/index.js';
import { type Clock, SECOND_MS } from '../../common/index.js';
import type { MatchFinding, Rules } from '../../rules/index.js';
import type { CpeUpgrades } from '../cpe-upgrades/index.js';
import type { SlotLibrary } from './known-images.js';
import type { Slot, SlotTest, SlotTestOptions, SlotUpgradeOptions } from './slot.js';
import { checkSlot, type TestFacts } from './slot-checks.js';

export interface SlotUpgradesParts {
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'isWaiting' | 'parameters' | 'describe' | 'organizations'>;
  readonly connectionRequests: Pick<ConnectionRequests, 'wake'>;
  readonly rules: Pick<Rules, 'match'>;
  readonly upgrades: CpeUpgrades;
  readonly library: Pick<SlotLibrary, 'get'>;
  /** @throws SlotError `no-slot`, `empty-slot` */
  slotOf(device: Device, key: string): Promise<Slot & { readonly content: NonNullable<Slot['content']> }>;
}

/** So long a client waits for a CPE that is called. */
const CALL_MS_MAX = 10 * SECOND_MS;
/** How often it is looked whether a CPE that has consented has come. */
const LOOK_MS = 100;

/** Whether CPEs can be upgraded to what stands in their slots, and how that is begun. */
export class SlotUpgrades {
  readonly #parts: SlotUpgradesParts;

  constructor(parts: SlotUpgradesParts) {
    this.#parts = parts;
  }

  async test(device: Device, key: string, options: SlotTestOptions): Promise<SlotTest> {
    // Nobody is called for a slot that there is not.
    await this.#parts.slotOf(device, key);
    return checkSlot(await this.#facts(device, key, options));
  }

  async upgrade(device: Device, key: string, options: SlotUpgradeOptions): Promise<SlotTest> {
    await this.#parts.slotOf(device, key);
    const facts = await this.#facts(device, key, options);
    const test = checkSlot(facts);
    if (!test.passed) return test;
    const { upgrades } = this.#parts;
    const { slot, now } = facts;
    const image = slot.content?.image ?? null;
    const own = [now.running, now.waiting].find((each) => each?.through === 'firmware-slots') ?? null;
    // Whoever asks twice has it once.
    if (own !== null && !slot.current && own.image?.number === image?.number) return test;
    if (own !== null && !(await upgrades.withdraw(own, options.by))) {
      const failure = 'Upgrade check failed: the upgrade that was begun before was sent just then';
      return { passed: false, lines: [...test.lines.slice(0, -1), failure] };
    }
    if (slot.current || image === null) return test;
    const organization = image.organization ?? options.within;
    await upgrades.start(
      {
        cpeids: [device.id],
        image: image.name,
        through: 'firmware-slots',
        ...(options.note !== null && { note: options.note }),
        ...(organization !== null && { organization }),
      },
      options.by,
    );
    return test;
  }

  async #facts(known: Device, key: string, { live, signal }: SlotTestOptions): Promise<TestFacts> {
    const { devices, upgrades, slotOf } = this.#parts;
    const called = live ? await this.#called(known, signal) : null;
    const device = (await devices.get(known.id)) ?? known;
    const slot = await slotOf(device, key);
    const [parameters, finding, now, verified] = await Promise.all([
      devices.parameters(device.id),
      this.#finding(device, slot),
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
      verified: verified[0]?.version ?? null,
    };
  }

  /** Has the CPE come: with its Inform it tells what it runs. */
  async #called({ id, lastInformMs }: Device, signal: AbortSignal): Promise<TestFacts['called']> {
    const { connectionRequests, devices } = this.#parts;
    const over = AbortSignal.any([signal, AbortSignal.timeout(CALL_MS_MAX)]);
    const { code, message } = await connectionRequests.wake(id, over);
    if (code !== 200) return { whyNot: message };
    while (!over.aborted) {
      const device = await devices.get(id);
      if (device !== null && device.lastInformMs !== lastInformMs) return { cameAtMs: device.lastInformMs };
      await delay(LOOK_MS, undefined, { signal: over }).catch(() => {});
    }
    return { whyNot: 'the CPE has consented to come, and has not come in time' };
  }

  /** What a session would make of a rule for this CPE and image alone. */
  async #finding(device: Device, { content }: Slot): Promise<MatchFinding | null> {
    const { rules, devices, library, clock } = this.#parts;
    const image = content?.image ?? null;
    if (image === null) return null;
    const described = await devices.describe(device.id, { nowMs: clock() });
    if (described === null) return null;
    const organization = (await devices.organizations()).of(device.organization)?.id;
    if ((await library.get(image.name, image.organization ?? organization))?.id !== image.id) {
      const detail = `another image is called ${image.name} in the organization of the device`;
      return { matches: false, verdict: 'image-missing', detail };
    }
    const match = await rules.match({
      draft: { id: DRAFT_ID, file: image.name, condition: { cpeid: device.id } },
      ...(organization !== undefined && { organization }),
    });
    return match.judge(described.input);
  }
}

/** Of the rule that is not stored. */
const DRAFT_ID = 'firmware-slots-test';
