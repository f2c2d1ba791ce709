import type { Request, Response } from 'express';
import type { Turn } from '../../../common/index.js';
import type { Answer, BodyKind, Exchange, Parameter, Reading, StreamedFields } from '../../http/index.js';
import type { Role } from '../../users/index.js';
import type { Asking } from './asking.js';
import type { BodyData } from './body.js';
import type { Field } from './field.js';
import type { Filter } from './filter.js';
import { allowed } from './headers.js';
import type { ListSource, Ordering } from './list.js';

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type MethodName = (typeof METHODS)[number];

/** One call, with whoever makes it. */
export interface Call {
  readonly exchange: Exchange<string, URLSearchParams, BodyData>;
  readonly request: Request;
  readonly response: Response;
  readonly asking: Asking;
  /** Of the path: UUIDs. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Reads the body, once. @throws ApiError */
  body(): Promise<BodyData>;
  /** Answers. @param data  undefined: without a body */
  send(status: number, data?: unknown): void;
  /** Answers 200 with an object that has lists of any length ({@link LongList}): JSON as it is read; a page with the first of each. */
  sendStreamed(fields: (turn: Turn) => Promise<StreamedFields>): Promise<void>;
  /** Reads a list and answers with the page of it that was asked for. @param view  as the answer shows an item */
  sendList<Item>(
    source: ListSource<Item>,
    ordering: Ordering,
    view: (item: Item, turn: Turn) => unknown,
  ): Promise<void>;
  /** For what may look at any number of entries: see {@link Reading.long}. */
  long<T>(read: (turn: Turn) => Promise<T>): Promise<T>;
  /** The same for what changes things on the way, and goes on once it has begun. */
  change(change: (turn: Turn) => Promise<void>): Promise<void>;
}

/** One method of an endpoint. */
export interface Method {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Who may; default: viewers read, operators change. */
  readonly role?: Role;
  /** A body beside one of the endpoint's fields; null: none is wanted. */
  readonly body?: BodyKind<BodyData> | null;
  /** By status, beside those that every call may be answered. The shape of 200 and 201 is that of the endpoint unless told. */
  readonly answers: Readonly<Record<string, string | Answer>>;
  handle(call: Call): Promise<void>;
}

/** One path of the API: from it come routes, OPTIONS, the OpenAPI document and pages. */
export interface Endpoint {
  /** Behind the prefix of the API: `build/{build}/`. */
  readonly path: string;
  /** As OPTIONS and pages call it. */
  readonly name: string;
  /** The fields of its objects, in their order; of its lists those of the items. */
  readonly fields: readonly Field[];
  /** It is a list. */
  readonly list?: { readonly filters: readonly Filter[]; readonly ordering: Ordering };
  /** Whether `organization` narrows what its GET tells; default: true. */
  readonly isNarrowed?: boolean;
  /** More that the query of its GET may say. */
  readonly query?: readonly Parameter[];
  readonly methods: Readonly<Partial<Record<MethodName, Method>>>;
  /** Whether whoever asks could write to this very path: only then OPTIONS tells what may be sent, and pages have forms for it. @throws ApiError where not */
  readonly requireChangeable?: (call: Call) => Promise<void>;
}

/** The methods that there are at an endpoint, as Allow tells them. */
export function allowOf({ methods }: Endpoint): readonly string[] {
  return allowed(METHODS.filter((name) => methods[name] !== undefined));
}

export const PREFIX = '/api/v1/firmware-upgrader/';

/** The path of an endpoint as routes write it. */
export function fullPath({ path }: Pick<Endpoint, 'path'>): string {
  return path.startsWith('/') ? path : `${PREFIX}${path}`;
}
