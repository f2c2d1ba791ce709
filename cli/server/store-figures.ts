import { Gauge } from 'prom-client';
import type { Acs } from '../../acs/index.js';
import { MINUTE_MS, SECOND_MS, withinTime } from '../../common/index.js';
import type { Building } from './building.js';

/** Whoever reads the figures waits no longer for one of them. */
const SIZE_MS_MAX = 2 * SECOND_MS;
/** From the end of one count of the CPEs to the next; and so many times as long as it took, so that counting costs a share of one per cent at most. */
const COUNT_EVERY_MS = MINUTE_MS;
const COUNT_SHARE = 100;

/** What an operator should see of the store's own health. */
export function showStoreFigures({ installation, registry }: Building): void {
  const { store } = installation;
  new Gauge({
    name: 'ferry_store_damaged_documents',
    help: 'Documents that this process has met since it started and could not read; lists leave them out',
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.set(store.damage.documents);
    },
  });
  new Gauge({
    name: 'ferry_store_bytes',
    help: 'Bytes that the store takes, with what is free in it; NaN where that cannot be told',
    registers: [registry],
    aggregator: 'max',
    async collect() {
      // A store that does not answer must not keep the other figures from being shown.
      this.set((await withinTime(store.sizeBytes(), SIZE_MS_MAX).catch(() => null)) ?? Number.NaN);
    },
  });
}

/** How many CPEs there are, and how many of them wait to be enrolled: counted now and then, not whenever somebody looks. */
export function showKnownCpes(
  { registry, closers, ambient: { logger } }: Pick<Building, 'registry' | 'closers' | 'ambient'>,
  acs: { readonly devices: Pick<Acs['devices'], 'count'>; readonly counted: Acs['counted'] },
): void {
  let known = Number.NaN;
  let waiting = Number.NaN;
  new Gauge({
    name: 'ferry_cpes_known',
    help: 'CPEs that are known, as counted a few minutes ago at most where they are few; NaN before they have been',
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.set(known);
    },
  });
  new Gauge({
    name: 'ferry_cpes_waiting',
    help: 'CPEs that wait to be enrolled (--enrol), as counted with those that are known',
    registers: [registry],
    aggregator: 'max',
    collect() {
      this.set(waiting);
    },
  });
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const count = async () => {
    const beganMs = performance.now();
    try {
      known = await acs.devices.count();
      acs.counted(known);
      waiting = await acs.devices.count('waiting');
    } catch (error) {
      if (!isOver) logger.debug('cpes.not-counted', { error });
    }
    if (isOver) return;
    const pauseMs = Math.max(COUNT_EVERY_MS, COUNT_SHARE * (performance.now() - beganMs));
    timer = setTimeout(() => {
      counting = count();
    }, pauseMs);
    timer.unref();
  };
  let counting = count();
  closers.push(async () => {
    isOver = true;
    clearTimeout(timer);
    await counting;
  });
}
