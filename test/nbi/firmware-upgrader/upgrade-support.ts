import type { ExecutionContext } from 'ava';
import { type Device, UPGRADES, type Upgrade } from '../../../acs/index.js';
import type { CpeId, OperationId, ResultId } from '../../../common/index.js';
import { type Build, SHARED } from '../../../firmware/index.js';
import type { Organization } from '../../../organizations/index.js';
import { OPERATIONS, type Operation, OperationLedger } from '../../../rollout/index.js';
import { uploadOf } from '../../firmware/support.js';
import { BY } from '../../support/actor.js';
import { type TestNbiOptions, upgradeOf } from '../support.js';
import { fieldOf, startUpgrader, type TestUpgrader } from './support.js';

/** A type with one board, which no other type lists. */
export const WDR3600 = 'ath79-generic-tplink_tl-wdr3600-v1-squashfs-sysupgrade.bin';
/** Two types that list one board: the last is its only one. */
export const WDR4300_OLD = 'ar71xx-generic-tl-wdr4300-v1-squashfs-sysupgrade.bin';
export const WDR4300 = 'ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin';
export const BOARDS = { wdr3600: 'TP-Link TL-WDR3600 v1', wdr4300: 'TP-Link TL-WDR4300 v1' } as const;

export interface KnownDevice {
  readonly id: string;
  readonly cpeid: CpeId;
}

/** The API with what its upgrades are about. */
export async function startUpgrades(t: ExecutionContext, options: TestNbiOptions = {}) {
  let nowMs = Date.UTC(2026, 0, 1);
  const upgrader = await startUpgrader(t, { clock: () => nowMs, monotonic: () => nowMs, ...options });
  const { store, images, deviceIds, upgrading } = upgrader;
  const operations = store.collection<Operation>(OPERATIONS);
  const ledger = new OperationLedger({ store, clock: () => nowMs, images });
  const tick = (ms = 1_000) => {
    nowMs += ms;
    return nowMs;
  };
  return {
    ...upgrader,
    tick,
    /** A device that comes for the first time now; one of the default organization where none is named. */
    async device(
      serialNumber: string,
      said: Partial<Device> = {},
      organization: Organization | null = upgrader.north,
    ): Promise<KnownDevice> {
      const cpeid = `00A1B2-HGW-${serialNumber}` as CpeId;
      const id = deviceIds.idOf(cpeid);
      const atMs = tick();
      const times = { registeredMs: atMs, lastInformMs: atMs };
      const placed =
        organization === null ? {} : { organization: { id: organization.id, by: 'hand' as const } };
      await upgrader.putDevice({ serialNumber, uuid: id, ...times, ...placed, ...said });
      return { id, cpeid };
    },
    /** A build with an image of each of some types. */
    async build(
      category: string,
      version: string,
      types: readonly string[],
      {
        os = null,
        organization = upgrader.north,
      }: { os?: string | null; organization?: Organization | null } = {},
    ) {
      const within = organization?.id ?? SHARED;
      const { categories } = images.builds;
      const found =
        (await categories.find(category, within)) ?? (await categories.add({ name: category }, BY, within));
      tick();
      const { id } = await images.builds.add({ category: found.id, version, os }, BY, within);
      const ids: Record<string, string> = {};
      for (const type of types) {
        const name = `${category}-${version}-${type}`;
        const owner = organization === null ? {} : { organization: organization.id };
        const upload = uploadOf(name, Buffer.from(`${id} ${type}`), { place: { build: id, type }, ...owner });
        const { image } = await images.upload(upload);
        ids[type] = upgrader.imageUuids.of(image.number ?? 0);
      }
      const build = await images.builds.get(id, null);
      if (build === null) throw new Error('The build is not there');
      return { build, images: ids, category: found };
    },
    /** What a batch has come to, once it is made. */
    async made(id: unknown): Promise<void> {
      await upgrading.batches.made(String(id) as never);
    },
    async operation(id: string): Promise<Operation> {
      const stored = await operations.get(id);
      if (stored === null) throw new Error(`There is no operation ${id}`);
      return stored.document;
    },
    /** Moves an operation, as an upgrade of its device would. */
    async move(id: string, moved: Partial<Operation>): Promise<void> {
      const stored = await operations.get(id as OperationId);
      if (stored === null) throw new Error(`There is no operation ${id}`);
      const { reason: _, detail: _detail, ...rest } = stored.document;
      const after = { ...rest, ...moved, updatedAtMs: tick() };
      await store.commit([...ledger.moved(stored, after)]);
    },
    /** Has an upgrade run for an operation, in some state. */
    async run(id: string, state: Upgrade['state'], more: Partial<Upgrade> = {}): Promise<void> {
      const stored = await operations.get(id as OperationId);
      if (stored === null) throw new Error(`There is no operation ${id}`);
      const { cpeid, batch, ruleId } = stored.document;
      const resultId = id as string as ResultId;
      const owner = { kind: 'batch', id: batch } as const;
      const upgrade = upgradeOf({ cpeid, campaignid: ruleId as never, state, owner, ...more });
      await store.collection<Upgrade>(UPGRADES).put({ ...upgrade, id: resultId });
      const after = {
        ...stored.document,
        state: 'running' as const,
        resultId,
        attempts: 1,
        updatedAtMs: tick(),
      };
      await store.commit([...ledger.moved(stored, after)]);
    },
  };
}

export type TestUpgrades = Awaited<ReturnType<typeof startUpgrades>> & TestUpgrader;

/** The id of the operation in an answer about the firmware of a device. */
export function operationIn(body: unknown): string {
  return String(fieldOf(fieldOf(body, 'upgrade_operation'), 'id'));
}

export function present<T>(value: T | null | undefined): T {
  if (value == null) throw new Error('It is not there');
  return value;
}

export type { Build };
