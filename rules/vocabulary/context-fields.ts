import type { Context } from './decision.js';

export interface ContextField {
  readonly type: 'text' | 'list' | 'number' | 'tree';
  /** The CPE may not have reported it. */
  readonly mayBeMissing: boolean;
}

const TEXT: ContextField = { type: 'text', mayBeMissing: false };
const UNSURE_TEXT: ContextField = { type: 'text', mayBeMissing: true };
const NUMBER: ContextField = { type: 'number', mayBeMissing: false };
const LIST: ContextField = { type: 'list', mayBeMissing: false };

const FIELDS: Readonly<Record<keyof Context, ContextField>> = {
  cpeid: TEXT,
  oui: TEXT,
  productClass: TEXT,
  serialNumber: TEXT,
  manufacturer: TEXT,
  modelName: UNSURE_TEXT,
  softwareVersion: UNSURE_TEXT,
  hardwareVersion: UNSURE_TEXT,
  events: LIST,
  tags: LIST,
  organization: UNSURE_TEXT,
  ip: TEXT,
  lastInform: NUMBER,
  registered: NUMBER,
  now: NUMBER,
  parameters: { type: 'tree', mayBeMissing: true },
};

/** What a condition can read of a CPE, by name: the same as {@link Context}, for those who look at conditions rather than at CPEs. */
export const CONTEXT_FIELDS: ReadonlyMap<string, ContextField> = new Map(Object.entries(FIELDS));
