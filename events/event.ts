import type { CollectionDefinition, Document } from '../store/index.js';
import type { Actor } from './actor.js';

/** What something happened to. */
export const SUBJECTS = [
  'rule',
  'image',
  'image-category',
  'image-build',
  'upload',
  'image-key',
  'device',
  'batch',
  'result',
  'cpe-credentials',
  'freeze',
  'user',
  'token',
  'session',
  'log-in',
  'organization',
  'installation',
] as const;
export type SubjectKind = (typeof SUBJECTS)[number];

type JsonObject = Readonly<Record<string, unknown>>;

/** Something that happened, as it is kept. Its id sorts by time. */
export interface EventDocument extends Document {
  readonly atMs: number;
  /** What happened, in the past: `added`, `changed`, `removed`, … */
  readonly action: string;
  readonly subject: SubjectKind;
  /** Its id, as its storage shows it. */
  readonly subjectId: string;
  /** The organization that it belongs to; absent: the installation. */
  readonly organization?: string;
  /** Absent: nobody did it, it came about. */
  readonly by?: Actor;
  /** Of what was there before, and is there after it, the fields that differ; absent: nothing was, or is. Secrets are masked. */
  readonly before?: JsonObject;
  readonly after?: JsonObject;
}

export const EVENTS: CollectionDefinition = {
  name: 'events',
  indexes: {
    subject: ['subject', 'subjectId'],
    by: ['by.name'],
    organization: ['organization'],
  },
};
