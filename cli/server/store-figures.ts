import { Gauge } from 'prom-client';
import type { Building } from './building.js';

/** What an operator should see of the store's own health. */
export function showStoreDamage({ installation, registry }: Building): void {
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
}
