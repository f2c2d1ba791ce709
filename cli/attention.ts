import { Gauge } from 'prom-client';
import { type Logger, MINUTE_MS, type MonotonicClock, SECOND_MS } from '../common/index.js';
import type { ImageLibrary } from '../firmware/index.js';
import { AMISS, type Amiss, type RuleEngine, type RulesAmiss } from '../rules/index.js';

/** How often rules and brakes are looked at, and so many times as long as that took: looking costs a share of one per cent at most. */
const RULES_EVERY_MS = 10 * SECOND_MS;
/** How often it is looked whether every image can be read, in the same way. */
const IMAGES_EVERY_MS = 5 * MINUTE_MS;
const LOOKING_SHARE = 100;
/** Of one look so many lines go to the log. */
const LINES_MAX = 20;
const IMAGES_PAGE = 200;
/** The log names so many images; the figure counts all. */
const IMAGES_NAMED_MAX = 10;

const EVENTS: Readonly<Record<Amiss, { readonly event: string; readonly level: 'error' | 'warn' }>> = {
  stopped: { event: 'rules.stopped', level: 'error' },
  suspended: { event: 'rules.suspended', level: 'error' },
  'image-missing': { event: 'rules.image-missing', level: 'warn' },
  'unknown-field': { event: 'rules.unknown-field', level: 'warn' },
};

export interface AttentionParts {
  readonly rules: Pick<RuleEngine, 'amiss' | 'pulledBrakes'>;
  readonly images: Pick<ImageLibrary, 'list' | 'open'>;
  readonly logger: Logger;
  readonly monotonic: MonotonicClock;
}

/** What this process knows to be amiss. */
export interface AttentionNow {
  /** How many rules there are of each kind. */
  readonly rules: RulesAmiss['counts'];
  /** Whether the brake of the installation is pulled, and those of how many organizations. */
  readonly isFrozen: boolean;
  readonly organizationsFrozen: number;
  /** Images whose content is not there, or this process may not read. */
  readonly imagesUnreadable: number;
}

/** What whoever runs an installation must know: looked for again and again, and told in the log as it comes and goes. */
export class AttentionWatch {
  readonly #parts: AttentionParts;
  #counts: RulesAmiss['counts'] = { stopped: 0, suspended: 0, 'image-missing': 0, 'unknown-field': 0 };
  #isFrozen = false;
  #organizationsFrozen = 0;
  #imagesUnreadable = 0;
  #toldImages = '';
  /** What was told of each rule, by kind and id; null before the first look. */
  #told: ReadonlyMap<string, { readonly ruleId: string; readonly why: Amiss }> | null = null;
  #isStopped = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: AttentionParts) {
    this.#parts = parts;
  }

  get now(): AttentionNow {
    return {
      rules: this.#counts,
      isFrozen: this.#isFrozen,
      organizationsFrozen: this.#organizationsFrozen,
      imagesUnreadable: this.#imagesUnreadable,
    };
  }

  /** Looks from now on. @returns once the log has been told of brakes that are pulled already */
  async start(): Promise<void> {
    await this.#lookAtBrakes().catch((error: unknown) => this.#failed(error));
    this.#repeat(RULES_EVERY_MS, () => this.look());
    this.#repeat(IMAGES_EVERY_MS, () => this.lookAtImages());
  }

  /** Begins no other look, and waits for those that run. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#running);
  }

  /** Looks at rules and brakes. @throws StoreError */
  async look(): Promise<void> {
    await this.#lookAtBrakes();
    const found = await this.#parts.rules.amiss();
    this.#counts = found.counts;
    this.#tell(found);
  }

  /** Looks whether the content of every image can be read, a page of them at a time. @throws StoreError */
  async lookAtImages(): Promise<void> {
    const { images, logger } = this.#parts;
    const unreadable: string[] = [];
    let after: string | null = null;
    do {
      const page = await images.list({ limit: IMAGES_PAGE, ...(after !== null && { after }) });
      for (const image of page.items) {
        if (this.#isStopped) return;
        const content = await images.open(image).catch(() => null);
        if (content === null) unreadable.push(image.id);
      }
      after = page.next;
    } while (after !== null);
    this.#imagesUnreadable = unreadable.length;
    const told = unreadable.join(' ');
    if (told === this.#toldImages) return;
    this.#toldImages = told;
    const named = { images: unreadable.slice(0, IMAGES_NAMED_MAX), count: unreadable.length };
    if (unreadable.length > 0) logger.error('images.unreadable', named);
    else logger.info('images.readable-again');
  }

  async #lookAtBrakes(): Promise<void> {
    const pulled = await this.#parts.rules.pulledBrakes();
    this.#isFrozen = pulled.some(({ organization }) => organization === undefined);
    this.#organizationsFrozen = pulled.length - (this.#isFrozen ? 1 : 0);
  }

  #tell({ named }: RulesAmiss): void {
    const { logger } = this.#parts;
    const before = this.#told;
    const now = new Map(named.map((each) => [`${each.why} ${each.ruleId}`, each]));
    this.#told = now;
    // Whichever process suspends a rule says so itself, with the CPE.
    const news = [...now].filter(
      ([key, { why }]) => before === null || (!before.has(key) && why !== 'suspended'),
    );
    for (const [, { ruleId, why, detail }] of news.slice(0, LINES_MAX)) {
      const { event, level } = EVENTS[why];
      logger[level](event, { ruleId, detail });
    }
    const mended = [...(before ?? [])].filter(([key]) => !now.has(key));
    for (const [, { ruleId, why }] of mended.slice(0, LINES_MAX))
      logger.info('rules.mended', { ruleId, why });
    const omitted = Math.max(0, news.length - LINES_MAX) + Math.max(0, mended.length - LINES_MAX);
    if (omitted > 0) logger.warn('rules.more-amiss', { omitted });
  }

  #repeat(everyMs: number, look: () => Promise<void>): void {
    const { monotonic } = this.#parts;
    const once = async (): Promise<void> => {
      const startedMs = monotonic();
      await look().catch((error: unknown) => this.#failed(error));
      if (this.#isStopped) return;
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          begin();
        },
        Math.max(everyMs, LOOKING_SHARE * (monotonic() - startedMs)),
      );
      timer.unref();
      this.#timers.add(timer);
    };
    const begin = (): void => {
      const running = once().finally(() => this.#running.delete(running));
      this.#running.add(running);
    };
    begin();
  }

  /** While the store does not answer that is told elsewhere, and the next look is soon. */
  #failed(error: unknown): void {
    if (!this.#isStopped) this.#parts.logger.debug('attention.not-looked', { error });
  }
}

/** The figures of what is amiss. */
export function showAttention(
  watch: Pick<AttentionWatch, 'now'>,
  registry: NonNullable<ConstructorParameters<typeof Gauge>[0]['registers']>[number],
): void {
  const gauge = (name: string, help: string, value: (now: AttentionNow) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      aggregator: 'max',
      collect() {
        this.set(value(watch.now));
      },
    });
  };
  new Gauge({
    name: 'ferry_rules_amiss',
    help: `Enabled rules that do not do what they say, by why: ${AMISS.join(', ')}; as of the last look`,
    labelNames: ['why'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      for (const why of AMISS) this.set({ why }, watch.now.rules[why]);
    },
  });
  gauge(
    'ferry_upgrades_frozen',
    '1 while the emergency brake of the installation is pulled, else 0',
    (now) => (now.isFrozen ? 1 : 0),
  );
  gauge(
    'ferry_organizations_frozen',
    'Organizations whose own emergency brake is pulled',
    (now) => now.organizationsFrozen,
  );
  gauge(
    'ferry_images_unreadable',
    'Images whose content is not there or cannot be read by this process',
    (now) => now.imagesUnreadable,
  );
}
