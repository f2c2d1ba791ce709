import type { EventLog } from '../../events/index.js';
import {
  type DynDialect,
  failures,
  openQuery,
  type Reading,
  type Route,
  route,
  withinOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { listAnswer, nothingAnswer } from './answers.js';
import { AUDIT_FIELDS, auditStorage } from './audit-storage.js';
import { countRoute } from './count-route.js';
import { CSV } from './csv.js';
import { sendSelected } from './list.js';
import { FORMAT, fieldParameter, listOptions, PATTERN, SINCE, UNTIL } from './parameters.js';
import { parseQuery } from './query.js';

export interface AuditRouteParts {
  readonly events: EventLog;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

/** What has been done, by whom: it is listed, and nobody changes it. */
export function auditRoutes({ events, limits, reading }: AuditRouteParts, dialect: DynDialect): Route[] {
  const options = {
    ...listOptions(limits.storagePageItemsMax, AUDIT_FIELDS),
    since: SINCE,
    until: UNTIL,
    format: FORMAT,
  };
  const list = listAnswer('The entries', 'AuditEntry');
  return [
    countRoute({
      dialect,
      fields: AUDIT_FIELDS,
      role: 'admin',
      concerns: 'organizations',
      things: 'Audit',
      options: { since: SINCE, until: UNTIL },
      reading,
      storage: (exchange) => auditStorage(events, withinOf(exchange)),
    }),
    route({
      method: 'GET',
      path: '/v1/dyn/AuditStorage/{pattern}',
      parameters: [PATTERN],
      role: 'admin',
      concerns: 'organizations',
      operationId: 'listAudit',
      summary: 'Lists who has changed what, the latest first',
      description:
        'An entry is written in the commit that makes the change. Of `before` and `after` only what differs is kept, without secrets. As CSV (`format=csv`, or `Accept: text/csv`) times are written out, and a cell that a spreadsheet would take for a formula has an apostrophe before it. Kept for `--audit-days`.',
      query: openQuery(...Object.values(options), fieldParameter(AUDIT_FIELDS)),
      answers: {
        '200': {
          ...list,
          content: { ...list.content, [CSV]: { schema: { type: 'string' } } },
        },
        ...failures('Answer'),
        '404': nothingAnswer(dialect),
      },
      async handle(exchange) {
        const storage = auditStorage(events, withinOf(exchange));
        const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
        await sendSelected(exchange, storage, query, dialect, { limits, reading });
      },
    }),
  ];
}
