import { EventLog, EventRetention } from '../../events/index.js';
import type { Building } from './building.js';

/** Forgets who has changed what once it is older than it is to be kept. */
export function purgeAudit({ config, ambient, installation, monotonic, duties, closers }: Building): void {
  const { auditDays: days } = config;
  if (days === 0) return;
  const { store } = installation;
  const { clock, logger } = ambient;
  const events = new EventLog({ store, clock });
  const retention = new EventRetention({ store, events, duties, clock, monotonic, logger, days });
  closers.push(() => retention.close());
}
