import { SECOND_MS } from '../../common/index.js';
import type { EventDocument, EventFilter, EventLog, SubjectKind } from '../../events/index.js';
import type { JsonObject } from '../http/index.js';
import type { CsvTable } from './csv.js';
import type { Entry, Position } from './entry.js';
import { type FieldFilter, type Fields, stringsOf } from './fields.js';
import { listedIds, type Selection, type Storage } from './storage.js';

export const AUDIT_FIELDS: Fields = {
  id: 'string',
  time: 'time',
  action: 'string',
  subject: 'string',
  subjectId: 'string',
  'by.name': 'string',
  'by.how': 'string',
  'by.credential': 'string',
  'by.address': 'string',
  'by.requestId': 'string',
  'by.organization': 'string',
  organization: 'string',
};

/** Something that somebody has done, as AuditStorage shows it: its time in epoch seconds, without secrets as it is kept. */
export function auditView(event: EventDocument): JsonObject {
  const { id, atMs, action, subject, subjectId, by, organization, before, after } = event;
  const time = Math.floor(atMs / SECOND_MS);
  return { id, time, action, subject, subjectId, by, organization, before, after };
}

/** The same as a row of a table; times are written out, what there was and is as JSON. */
export const AUDIT_CSV: CsvTable = {
  head: [
    'id',
    'time',
    'action',
    'subject',
    'subjectId',
    'by.name',
    'by.how',
    'by.credential',
    'by.address',
    'by.requestId',
    'by.organization',
    'organization',
    'before',
    'after',
  ],
  row({ time, by, before, after, ...view }) {
    const { name, how, credential, address, requestId, organization } = (by ?? {}) as JsonObject;
    const cells = [name, how, credential, address, requestId, organization, view['organization']];
    return [
      textOf(view['id']),
      new Date(Number(time) * SECOND_MS).toISOString().replace('.000Z', 'Z'),
      ...[view['action'], view['subject'], view['subjectId'], ...cells].map(textOf),
      jsonOf(before),
      jsonOf(after),
    ];
  },
};

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function jsonOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/**
 * What somebody has done, the latest first.
 * @param organization  the id of the organization of whose things alone it tells; null: it tells of everybody's
 */
export function auditStorage(events: Pick<EventLog, 'get' | 'scan'>, organization: string | null): Storage {
  return {
    name: 'AuditStorage',
    fields: AUDIT_FIELDS,
    idNames: ['id'],
    order: 'descending',
    csv: AUDIT_CSV,
    async *candidates(selection, after, turn) {
      const ids = listedIds(selection);
      const found =
        ids === null
          ? events.scan({ ...narrow(selection, organization), ...from(after) }, turn)
          : byIds(events, ids, after);
      for await (const event of found) if (isFor(organization, event)) yield toEntry(event);
    },
  };
}

function toEntry(event: EventDocument): Entry {
  return { id: event.id, view: auditView(event), rank: event.atMs };
}

function isFor(organization: string | null, event: EventDocument): boolean {
  return organization === null || event.organization === organization;
}

function from(after: Position | null): Pick<EventFilter, 'after'> {
  return after === null ? {} : { after: { id: after.id } };
}

async function* byIds(
  events: Pick<EventLog, 'get'>,
  ids: readonly string[],
  after: Position | null,
): AsyncGenerator<EventDocument> {
  const following = ids.filter((id) => after === null || id < after.id);
  // Their order is that of time: they are digits and small letters.
  for (const id of following.sort().reverse()) {
    const event = await events.get(id);
    if (event !== null) yield event;
  }
}

/** One index is enough: whatever else the selection asks for is checked entry by entry. */
function narrow({ filters }: Selection, organization: string | null): EventFilter {
  const subject = onlyOne(filters, 'subject') as SubjectKind | undefined;
  const subjectId = onlyOne(filters, 'subjectId');
  const by = onlyOne(filters, 'by.name');
  return {
    ...(subject !== undefined && { subject }),
    ...(subject !== undefined && subjectId !== undefined && { subjectId }),
    ...(by !== undefined && { by }),
    ...(organization !== null && { organization }),
    ...timesOf(filters),
  };
}

function onlyOne(filters: readonly FieldFilter[], path: string): string | undefined {
  const [value, ...others] = stringsOf(filters, path) ?? [];
  return others.length === 0 ? value : undefined;
}

/** What is kept to the millisecond is shown, and asked for, by whole seconds. */
function timesOf(filters: readonly FieldFilter[]): Pick<EventFilter, 'fromMs' | 'beforeMs'> {
  let fromMs: number | undefined;
  let beforeMs: number | undefined;
  for (const filter of filters) {
    if (filter.path !== 'time' || !('is' in filter)) continue;
    const { is, bound } = filter;
    const isWholeIn = is === '>=' || is === '<';
    const edgeMs = (isWholeIn ? Math.ceil(bound) : Math.floor(bound) + 1) * SECOND_MS;
    if (is === '>=' || is === '>') fromMs = Math.max(fromMs ?? edgeMs, edgeMs);
    else beforeMs = Math.min(beforeMs ?? edgeMs, edgeMs);
  }
  return { ...(fromMs !== undefined && { fromMs }), ...(beforeMs !== undefined && { beforeMs }) };
}
