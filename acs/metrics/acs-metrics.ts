import { Counter, Gauge, type Registry } from 'prom-client';
import { LabelledCounter } from './labelled-counter.js';

/** What the ACS counts: each room counts in its own, and all are made in one place, which is the order they are shown in. */
export interface AcsMetrics {
  readonly sessions: LabelledCounter;
  readonly messages: LabelledCounter;
  readonly rejected: LabelledCounter;
  readonly authentications: LabelledCounter;
  readonly mended: LabelledCounter;
  readonly upgrades: LabelledCounter;
  readonly doubts: LabelledCounter;
  readonly connectionRequests: LabelledCounter;
  readonly wakes: LabelledCounter;
  readonly removed: LabelledCounter;
  readonly newCpes: LabelledCounter;
  readonly secondOuis: Counter;
}

/**
 * The ACS's figures in the process's one registry.
 * @param openSessions  how many are open when it is asked
 */
export function createAcsMetrics(
  registry: Registry,
  openSessions: () => number | Promise<number>,
): AcsMetrics {
  new Gauge({
    name: 'ferry_cwmp_sessions_open',
    help: 'CWMP sessions that are open now',
    registers: [registry],
    // Where workers share sessions each of them sees all.
    aggregator: 'max',
    async collect() {
      // A store that does not answer must not keep the other figures from being shown.
      this.set(await Promise.resolve(openSessions()).catch(() => Number.NaN));
    },
  });
  const counter = (name: string, label: string, help: string) =>
    new LabelledCounter(registry, { name, help, label });
  return {
    sessions: counter(
      'ferry_cwmp_sessions_total',
      'outcome',
      'CWMP sessions that ended, by how: done, expired, superseded, failed',
    ),
    messages: counter('ferry_cwmp_messages_total', 'type', 'CWMP messages received from CPEs, by type'),
    rejected: counter('ferry_cwmp_rejected_total', 'reason', 'CWMP requests that were refused, by reason'),
    authentications: counter(
      'ferry_cpe_authentications_total',
      'outcome',
      'CPEs that began a session or would have, by how they authenticated: digest, basic; absent, stale, wrong, throttled',
    ),
    mended: counter(
      'ferry_cwmp_mended_total',
      'kind',
      'Flaws of CWMP requests that were read all the same, by kind: character, ampersand, bytes, charset, namespace, attribute, tail, markup, number, event, coding, host, blank-body',
    ),
    upgrades: counter('ferry_upgrades_total', 'state', 'Upgrades that entered a state, by state'),
    doubts: counter(
      'ferry_upgrade_doubts_total',
      'outcome',
      'CPEs asked whether a Download had reached them, by what came of it: accepted, transferred, resent, failed, cancelled, waiting, held, overtaken',
    ),
    connectionRequests: counter(
      'ferry_connection_requests_total',
      'code',
      'Connection requests, by the code the northbound interface answers',
    ),
    wakes: counter(
      'ferry_wakes_total',
      'code',
      'Connection requests that woke CPEs into the window of a rule, by code as above',
    ),
    removed: counter(
      'ferry_cpes_deleted_total',
      'why',
      'CPEs that were forgotten, by why: asked, not-heard (for --device-days)',
    ),
    secondOuis: new Counter({
      name: 'ferry_cpe_second_oui_total',
      help: 'Informs that were refused since their serial number, which alone tells CPEs apart, is known of another OUI',
      registers: [registry],
    }),
    newCpes: counter(
      'ferry_new_cpes_total',
      'outcome',
      'CPEs not heard of before, by what came of them: taken, taken-guarded (places run short), refused-greediest, refused',
    ),
  };
}
