import { Counter, Gauge, type Registry } from 'prom-client';

export interface AcsMetrics {
  readonly sessions: Counter<'outcome'>;
  readonly messages: Counter<'type'>;
  readonly rejected: Counter<'reason'>;
  readonly upgrades: Counter<'state'>;
  readonly connectionRequests: Counter<'code'>;
  readonly openSessions: Gauge;
}

/** The ACS's figures in the process's one registry. */
export function createAcsMetrics(registry: Registry): AcsMetrics {
  const registers = [registry];
  return {
    sessions: new Counter({
      name: 'ferry_cwmp_sessions_total',
      help: 'CWMP sessions that ended, by how: done, expired, superseded, failed',
      labelNames: ['outcome'],
      registers,
    }),
    messages: new Counter({
      name: 'ferry_cwmp_messages_total',
      help: 'CWMP messages received from CPEs, by type',
      labelNames: ['type'],
      registers,
    }),
    rejected: new Counter({
      name: 'ferry_cwmp_rejected_total',
      help: 'CWMP requests that were refused, by reason',
      labelNames: ['reason'],
      registers,
    }),
    upgrades: new Counter({
      name: 'ferry_upgrades_total',
      help: 'Upgrades that entered a state, by state',
      labelNames: ['state'],
      registers,
    }),
    connectionRequests: new Counter({
      name: 'ferry_connection_requests_total',
      help: 'Connection requests, by the code the northbound interface answers',
      labelNames: ['code'],
      registers,
    }),
    openSessions: new Gauge({
      name: 'ferry_cwmp_sessions_open',
      help: 'CWMP sessions that are open now',
      registers,
    }),
  };
}
