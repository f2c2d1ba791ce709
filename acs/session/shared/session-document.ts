import { Ajv, type ValidateFunction } from 'ajv';
import { type CollectionDefinition, type Document, StoreError } from '../../../store/index.js';
import { CWMP_NAMESPACES } from '../../soap/index.js';
import { firstAttempt, type ProvisioningAttempt } from '../provisioning-plan.js';
import type { OpenSession, Outstanding, SessionFacts, TasksLeft } from '../session.js';

/** Raised whenever what follows means something else: a process drops sessions of another version, and their CPEs begin anew. */
const FORMAT = 1;

/** About 600 bytes as a rule; the rest is room for the names of a GetParameterValues that rules of many fields asked for. */
export const SESSION_BYTES_MAX = 128 * 1024;

/** Ids begin with the time, so that the oldest come first without an index that every step would have to write. */
export const SESSIONS: CollectionDefinition = { name: 'cwmp-sessions', indexes: {}, passing: true };

/** An open session as it lies in the store between two requests of its CPE. */
export interface SessionDocument extends Document {
  readonly format: typeof FORMAT;
  /** Where its Inform came from. */
  readonly ip: string;
  /** By then its CPE must have spoken again. */
  readonly expiresAtMs: number;
  /** Somebody has reserved an upgrade in the step that is being worked on, and must be let finish it. */
  readonly claim?: { readonly by: string; readonly untilMs: number };
  readonly session: StoredSession;
}

/** Without what only the process that read it can use. */
type StoredSession = Omit<OpenSession, 'facts' | 'outstanding'> & {
  readonly facts: Omit<OpenSession['facts'], 'hand'>;
  readonly outstanding: StoredOutstanding | null;
};

type StoredOutstanding =
  | Exclude<Outstanding, { request: 'SetParameterValues' }>
  | { readonly request: 'SetParameterValues'; readonly attempt?: ProvisioningAttempt };

/**
 * @throws StoreError `bad-document` where the session is larger than any that Ferry itself brings about
 */
export function toSessionDocument(
  entry: { readonly id: string; readonly ip: string; readonly session: OpenSession },
  expiresAtMs: number,
  claim?: NonNullable<SessionDocument['claim']>,
): SessionDocument {
  const { hand: _, ...facts } = entry.session.facts;
  const session: StoredSession = { ...entry.session, facts };
  if (sizeAtMostBytes(session) > SESSION_BYTES_MAX) {
    throw new StoreError(
      'bad-document',
      `A session of ${facts.cpeid} has grown beyond ${SESSION_BYTES_MAX} bytes`,
    );
  }
  const { id, ip } = entry;
  return { id, format: FORMAT, ip, expiresAtMs, session, ...(claim !== undefined && { claim }) };
}

/** Only lists of names can be long; without any there is nothing to measure. */
function sizeAtMostBytes(session: StoredSession): number {
  const { outstanding, tasks } = session;
  if (outstanding?.request !== 'GetParameterValues' && tasks.reads.length === 0) return 0;
  return Buffer.byteLength(JSON.stringify(session));
}

/** @returns null where another version of Ferry wrote it */
export function sessionOf(document: SessionDocument): OpenSession | null {
  if (!isSessionDocument(document)) return null;
  const { session } = document;
  const outstanding = session.outstanding === null ? null : withAttempt(session.outstanding);
  return { ...session, outstanding, facts: { ...session.facts, hand: { device: null } } };
}

/** An older version asked for everything at once, and did not say so. */
function withAttempt(outstanding: StoredOutstanding): Outstanding {
  if (outstanding.request !== 'SetParameterValues') return outstanding;
  return { ...outstanding, attempt: outstanding.attempt ?? firstAttempt([]) };
}

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;
const NAMES = { type: 'array', items: TEXT } as const;

function object<P extends Readonly<Record<string, unknown>>>(
  properties: P,
  optional: readonly (keyof P)[] = [],
) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false } as const;
}

const QUESTION = {
  upgradeId: TEXT,
  repeats: { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'null' }] },
};

/** A request that is missing here would cost its session as soon as another process takes the answer. */
const OUTSTANDING: Readonly<Record<Outstanding['request'], Readonly<Record<string, unknown>>>> = {
  SetParameterValues: {
    attempt: object({
      names: NAMES,
      afterwards: NAMES,
      narrowed: FLAG,
      isSet: FLAG,
    } satisfies Record<keyof ProvisioningAttempt, unknown>),
  },
  GetParameterValues: { names: NAMES },
  Download: { upgradeId: TEXT, repeats: { type: 'integer', minimum: 0 } },
  CancelTransfer: { upgradeId: TEXT },
  GetQueuedTransfers: QUESTION,
  GetAllQueuedTransfers: QUESTION,
};

/** What the steps rely on; the types say the same, and ask for every field of facts and tasks. */
const SESSION_DOCUMENT_SCHEMA = object(
  {
    id: TEXT,
    format: { const: FORMAT },
    ip: TEXT,
    expiresAtMs: { type: 'number' },
    claim: object({ by: TEXT, untilMs: { type: 'number' } }),
    session: object({
      phase: { const: 'open' },
      facts: object(
        {
          cpeid: TEXT,
          isLost: { const: true },
          isWaiting: { const: true },
          isProven: { const: true },
          provenAs: TEXT,
          // The declaration is one that an older version wrote of; it means nothing any more.
          style: object({ namespace: { enum: CWMP_NAMESPACES }, xmlDeclaration: FLAG }, ['xmlDeclaration']),
          events: NAMES,
          boot: FLAG,
          softwareVersion: { anyOf: [TEXT, { type: 'null' }] },
          requested: FLAG,
          applying: FLAG,
          transferKey: { anyOf: [TEXT, { type: 'null' }] },
          doubt: {
            anyOf: [
              { type: 'null' },
              object({ upgradeId: TEXT, repeats: { type: 'integer', minimum: 0 }, announced: FLAG }),
            ],
          },
        } satisfies Record<keyof Omit<SessionFacts, 'hand'>, unknown>,
        ['isLost', 'isWaiting', 'isProven', 'provenAs'],
      ),
      outstanding: {
        anyOf: [
          { type: 'null' },
          ...Object.entries(OUTSTANDING).map(([request, fields]) => ({
            ...object({ request: { const: request }, ...fields }),
            ...(request === 'SetParameterValues' && { required: ['request'] }),
          })),
        ],
      },
      quiet: FLAG,
      tasks: object(
        {
          settle: FLAG,
          provision: FLAG,
          withdraw: { const: true },
          doubt: FLAG,
          reads: { type: 'array', items: NAMES },
          decisions: { type: 'integer', minimum: 0 },
        } satisfies Record<keyof TasksLeft, unknown>,
        ['withdraw'],
      ),
      queueKnown: FLAG,
    }),
  },
  ['claim'],
);

let compiled: ValidateFunction<SessionDocument> | null = null;

/** Compiled when it is first asked: that takes a tenth of the time in which a command starts, and few commands ask. */
function isSessionDocument(value: unknown): value is SessionDocument {
  compiled ??= new Ajv({ strict: true }).compile<SessionDocument>(SESSION_DOCUMENT_SCHEMA);
  return compiled(value);
}
