import { randomInt } from 'node:crypto';
import type { BlockList } from 'node:net';
import { type Clock, DAY_MS, isListed, networkOf } from '../../common/index.js';
import type { Collection, Store } from '../../store/index.js';
import { DEVICES, type Device } from './device.js';

/** So many CPEs are a sample of a fleet of any size that is seldom more than 3 % off. */
const SAMPLE_BITS = 10;
const SAMPLE_CPES = 2 ** SAMPLE_BITS;
/** So many CPEs, those that were registered first, are read from the store: one page. */
const READ_MAX = 1_000;
/** Whoever has been known for so long was not invented just now. */
const KNOWN_MS_MIN = DAY_MS;
/** An address with nine of ten of the CPEs is the fleet's. */
const FLEETS_OF_TEN = 9;

/** A place of a sample where nobody has been seen yet. */
const NOBODY = 0;

/** CPEs with their last addresses, as numbers: in each place the one whose name comes first there, however often others come. */
class Sample {
  readonly #ranks = new Uint32Array(SAMPLE_CPES).fill(0xff_ff_ff_ff);
  readonly #marks = new Uint32Array(SAMPLE_CPES);

  /** @param isNews  false: what is known of the same CPE stays */
  note(name: number, mark: number, isNews: boolean): void {
    const place = name % SAMPLE_CPES;
    const rank = name >>> SAMPLE_BITS;
    const first = this.#ranks[place] ?? 0;
    if (rank > first || (rank === first && !isNews)) return;
    this.#ranks[place] = rank;
    this.#marks[place] = mark;
  }

  /** How many CPEs there are, and how many of them at an address. */
  count(mark: number): { readonly all: number; readonly at: number } {
    let all = 0;
    let at = 0;
    for (const each of this.#marks) {
      if (each !== NOBODY) all++;
      if (each === mark) at++;
    }
    return { all, at };
  }
}

/**
 * At which addresses the fleet is: those where a CPE says nothing by having the same as many others. Each process has its own sample of CPEs with
 * their last addresses, so a session costs hardly more than the write of a number, and CPEs that nobody knew a day ago displace none that were.
 */
export class FleetAddresses {
  readonly #devices: Collection<Device>;
  readonly #clock: Clock;
  readonly #shared: BlockList;
  /** So that nobody can choose names that meet in one place. */
  readonly #seed = randomInt(2 ** 32 - 1);
  readonly #known = new Sample();
  readonly #new = new Sample();
  #read: Promise<void> | null = null;

  /** @param parts  `shared`: subnets of which an operator says that many CPEs are behind their addresses */
  constructor(parts: { readonly store: Store; readonly clock: Clock; readonly shared: BlockList }) {
    this.#devices = parts.store.collection<Device>(DEVICES);
    this.#clock = parts.clock;
    this.#shared = parts.shared;
  }

  /** Notes where a session of a CPE comes from. */
  seen({ id, registeredMs }: Pick<Device, 'id' | 'registeredMs'>, ip: string): void {
    const isKnown = registeredMs <= this.#clock() - KNOWN_MS_MIN;
    (isKnown ? this.#known : this.#new).note(this.#hashOf(id), this.#markOf(ip), true);
  }

  /**
   * Whether so many CPEs are at an address that none of them is held back for it: an operator says so, or it has nine tenths of the fleet.
   * Of the fleet those count that have been known for a day, where there are such.
   * @throws StoreError, where the store must be read first
   */
  async isShared(ip: string): Promise<boolean> {
    if (isListed(this.#shared, ip)) return true;
    await this.#filled();
    const mark = this.#markOf(ip);
    const known = this.#known.count(mark);
    const { all, at } = known.all > 0 ? known : this.#new.count(mark);
    return 10 * at >= FLEETS_OF_TEN * all;
  }

  /** What this process has not seen itself, once. */
  #filled(): Promise<void> {
    this.#read ??= this.#fill().catch((error: unknown) => {
      this.#read = null;
      throw error;
    });
    return this.#read;
  }

  async #fill(): Promise<void> {
    // The first to be registered: whoever was invented lately comes behind them.
    const { items } = await this.#devices.find({ index: 'registered', limit: READ_MAX });
    const untilMs = this.#clock() - KNOWN_MS_MIN;
    for (const { document } of items) {
      const sample = document.registeredMs <= untilMs ? this.#known : this.#new;
      sample.note(this.#hashOf(document.id), this.#markOf(document.ip), false);
    }
  }

  #markOf(ip: string): number {
    return this.#hashOf(networkOf(ip)) || 1;
  }

  /** FNV-1a, and the end of MurmurHash3, as names differ in their last digit: done in every session, so nothing is allocated. */
  #hashOf(text: string): number {
    let hashed = this.#seed;
    for (let index = 0; index < text.length; index++)
      hashed = Math.imul(hashed ^ text.charCodeAt(index), 0x01_00_01_93);
    hashed = Math.imul(hashed ^ (hashed >>> 16), 0x85_eb_ca_6b);
    hashed = Math.imul(hashed ^ (hashed >>> 13), 0xc2_b2_ae_35);
    return (hashed ^ (hashed >>> 16)) >>> 0;
  }
}
