import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Gauge } from 'prom-client';
import { SECOND_MS } from '../../common/index.js';
import type { RuleEngine, RuleFileWatcher } from '../../rules/index.js';
import { AttentionWatch, showAttention } from '../attention.js';
import { ruleFilesOf } from '../health.js';
import type { Building } from './building.js';

/** How often it is looked at the disk where nobody asks. */
const DISK_LOOK_MS = 10 * SECOND_MS;

/** Containers may share a host's name and have the same process id. */
const MARK_BYTES = 3;

/** How other processes call this one, in what they say of who did something last; another at each call. */
export function processName(): string {
  return `${hostname()}:${process.pid}:${randomBytes(MARK_BYTES).toString('hex')}`;
}

export function watchDuties({ duties, registry }: Building): void {
  new Gauge({
    name: 'ferry_duty_age_seconds',
    help: 'Seconds since a process of this installation did what one does for all, by duty; as far as this process knows',
    labelNames: ['duty'],
    registers: [registry],
    aggregator: 'min',
    collect() {
      for (const { id, ageMs } of duties.states) this.set({ duty: id }, ageMs / SECOND_MS);
    },
  });
  new Gauge({
    name: 'ferry_duty_overdue',
    help: '1 for a duty that nobody has done for too long, else 0',
    labelNames: ['duty'],
    registers: [registry],
    aggregator: 'max',
    collect() {
      for (const { id, isOverdue } of duties.states) this.set({ duty: id }, isOverdue ? 1 : 0);
    },
  });
}

/** On the embedded store: another's disk is the database's to watch. */
export function watchDisk({ installation: { disk }, registry, closers }: Building): void {
  if (disk === null) return;
  new Gauge({
    name: 'ferry_disk_free_bytes',
    help: 'Bytes that are free on the disk of the data directory; NaN where that cannot be told',
    registers: [registry],
    aggregator: 'min',
    collect() {
      this.set(disk.freeBytes);
    },
  });
  const looking = setInterval(() => void disk.look(), DISK_LOOK_MS);
  looking.unref();
  void disk.look();
  closers.push(async () => clearInterval(looking));
}

/** What is amiss with rules, images and rule files, and whether upgrades are frozen. @param watcher  null where no rules come from files */
export async function watchWhatIsAmiss(
  { ambient, installation, monotonic, registry, duties, closers }: Building,
  rules: RuleEngine,
  watcher: RuleFileWatcher | null,
): Promise<AttentionWatch> {
  const { images } = installation;
  const attention = new AttentionWatch({ rules, images, logger: ambient.logger, monotonic });
  showAttention(attention, registry);
  if (watcher !== null)
    new Gauge({
      name: 'ferry_rule_files_amiss',
      help: '1 while what the rule directory holds is not what is applied, or nobody looks at it, else 0',
      registers: [registry],
      aggregator: 'max',
      collect() {
        this.set(ruleFilesOf({ watcher, duties }) === 'ok' ? 0 : 1);
      },
    });
  closers.push(() => attention.stop());
  await attention.start();
  return attention;
}
