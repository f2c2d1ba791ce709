import {
  isListed,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  networkOf,
  Seldom,
  subnetList,
} from '../../common/index.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { GuardedTotal, type Guarding, type Place } from './guarded-total.js';

/** How many CPEs that nobody has heard of before are taken on. */
export interface NewCpeBounds {
  /** By this process in a minute; 0: any number. */
  readonly perMinuteMax: number;
  /** CPEs that there may be in all; 0: any number. */
  readonly inAllMax: number;
  /** Addresses and subnets, in CIDR notation, that are never the greediest. */
  readonly exempt: readonly string[];
}

/** The part of a minute's places that are anybody's, and the part that is nobody's alone. */
const MINUTE_FREE = 3 / 4;
const MINUTE_OWN = 1 / 8;
/** Of all CPEs the last tenth is guarded. An eighth of that is nobody's alone: of all it would be more than is left, as after a start nobody has taken any. */
const ALL_FREE = 9 / 10;
const ALL_OWN = 1 / 80;
/** As often as the log says that either runs short. */
const SHORT_LOG_MS = MINUTE_MS;

type Bound = 'minute' | 'all';

/** A CPE that is not known is not taken on now; it may come again. Its message says why, in words for the log. */
export class NewCpeRefusedError extends Error {
  override readonly name = 'NewCpeRefusedError';

  constructor(
    /** From a fixed set. */
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

/** Bounds how many CPEs are taken on that nobody has heard of before; of those that are known it is not asked. */
export class NewCpes {
  readonly #bounds: NewCpeBounds;
  readonly #exempt: ReturnType<typeof subnetList> | null;
  readonly #monotonic: MonotonicClock;
  readonly #logger: Logger;
  readonly #metrics: Pick<AcsMetrics, 'newCpes'>;
  readonly #minute: GuardedTotal;
  readonly #all: GuardedTotal;
  readonly #shortLog: Seldom;
  #minuteBeganMs = Number.NEGATIVE_INFINITY;
  #takenInMinute = 0;
  /** As counted last, and those taken on since. */
  #known = 0;

  /** @throws Error where a subnet cannot be understood */
  constructor(parts: {
    readonly bounds: NewCpeBounds;
    readonly monotonic: MonotonicClock;
    readonly logger: Logger;
    readonly metrics: Pick<AcsMetrics, 'newCpes'>;
  }) {
    const { bounds, monotonic, logger, metrics } = parts;
    this.#bounds = bounds;
    this.#exempt = bounds.exempt.length === 0 ? null : subnetList(bounds.exempt);
    this.#monotonic = monotonic;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#minute = new GuardedTotal(guardingOf(bounds.perMinuteMax, MINUTE_FREE, MINUTE_OWN));
    this.#all = new GuardedTotal(guardingOf(bounds.inAllMax, ALL_FREE, ALL_OWN));
    this.#shortLog = new Seldom(SHORT_LOG_MS, monotonic);
  }

  /** How many CPEs there are, by a count of the store. */
  counted(known: number): void {
    this.#known = known;
  }

  /**
   * To be asked before a CPE is stored that is not known.
   * @param ip  where it comes from
   * @throws NewCpeRefusedError
   */
  take(ip: string): void {
    const nowMs = this.#monotonic();
    if (nowMs - this.#minuteBeganMs >= MINUTE_MS) {
      this.#minuteBeganMs = nowMs;
      this.#takenInMinute = 0;
      this.#minute.clear();
    }
    const network = this.#exempt !== null && isListed(this.#exempt, ip) ? null : networkOf(ip);
    const ofMinute = this.#minute.look(this.#takenInMinute, network);
    const ofAll = this.#all.look(this.#known, network);
    if (ofMinute !== 'free') this.#tellShort('minute');
    if (ofAll !== 'free') this.#tellShort('all');
    this.#refuse('minute', ofMinute);
    this.#refuse('all', ofAll);
    this.#metrics.newCpes.inc(ofMinute === 'free' && ofAll === 'free' ? 'taken' : 'taken-guarded');
    this.#takenInMinute++;
    this.#known++;
    if (network === null) return;
    if (this.#bounds.perMinuteMax > 0) this.#minute.take(network);
    if (this.#bounds.inAllMax > 0) this.#all.take(network);
  }

  /** Before anybody is refused. */
  #tellShort(bound: Bound): void {
    const omitted = this.#shortLog.admit(bound);
    if (omitted === null) return;
    const [taken, max, total] =
      bound === 'minute'
        ? [this.#takenInMinute, this.#bounds.perMinuteMax, this.#minute]
        : [this.#known, this.#bounds.inAllMax, this.#all];
    const { mostTaken } = total;
    this.#logger.warn('cpes.new-run-short', { bound, taken, max, mostOfOneAddress: mostTaken });
  }

  #refuse(bound: Bound, place: Place): void {
    const reason = reasonOf(bound, place);
    if (reason === null) return;
    this.#metrics.newCpes.inc(place === 'greediest' ? 'refused-greediest' : 'refused');
    throw new NewCpeRefusedError(`new-cpes-${bound}-${place}`, reason);
  }
}

const WHAT: Readonly<Record<Bound, string>> = {
  minute: 'the new CPEs of this minute (--new-cpes-per-minute)',
  all: 'the CPEs that there may be (--cpes-max)',
};

function reasonOf(bound: Bound, place: Place): string | null {
  switch (place) {
    case 'free':
    case 'guarded':
      return null;
    case 'greediest':
      return `${WHAT[bound]} run short, and no address has had more than this one`;
    case 'none':
      return `${WHAT[bound]} are used up`;
    default:
      return place satisfies never;
  }
}

function guardingOf(totalMax: number, free: number, own: number): Guarding {
  if (totalMax === 0)
    return {
      totalMax: Number.POSITIVE_INFINITY,
      guardedFrom: Number.POSITIVE_INFINITY,
      ownMax: Number.POSITIVE_INFINITY,
    };
  return { totalMax, guardedFrom: Math.floor(totalMax * free), ownMax: Math.floor(totalMax * own) };
}
