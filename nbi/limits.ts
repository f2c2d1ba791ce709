import { MINUTE_MS, SECOND_MS } from '../common/index.js';

/** What one request may cost. Every field can be set by the composition; {@link NBI_LIMITS} are the defaults. */
export interface NbiLimits {
  /**
   * Requests of users under way in this process, however long they take, but for those that have room of their own; and as many again on
   * open routes.
   */
  readonly requestsMax: number;
  /** Of one client: a user, or an address where nobody logs in. */
  readonly requestsPerClientMax: number;
  /** Requests of each route that has room of its own (the brake, probes, metrics), until their answers are made. */
  readonly reservedMax: number;
  readonly reservedPerClientMax: number;
  /** Of the JSON and NDJSON bodies of all requests under way together, as far as they are held at once. */
  readonly bodiesBytesMax: number;
  /** Of one client. */
  readonly bodiesBytesPerClientMax: number;
  /** A JSON body of rules, or of fields of rules; the library bounds images, and how long they may go without a byte. */
  readonly bodyBytesMax: number;
  /** The JSON body of a call of a method. */
  readonly callBytesMax: number;
  /** How long a client may take to send a JSON body; of one that is stored while it comes, how long it may send nothing. */
  readonly bodyMsMax: number;
  readonly jsonDepthMax: number;
  /** Values, keys and brackets of a JSON body: small ones cost far more memory parsed than sent. */
  readonly jsonTokensMax: number;
  /** Keys of one object in a JSON body. */
  readonly jsonKeysMax: number;
  /** Rules in one POST that is answered as a whole. */
  readonly itemsMax: number;
  /** One rule of a body that is stored while it comes. */
  readonly recordBytesMax: number;
  /** Rules of such a body that are stored in one step, together; a batch ends here or at {@link BATCH_ITEMS_MAX}. */
  readonly batchBytesMax: number;
  /** Problems that the report on such a body lists before no more of it is read. */
  readonly reportedProblemsMax: number;
  /** Entries in one page. */
  readonly pageItemsMax: number;
  /** The same of a storage under `/v1/dyn`, whose documentation asks for so many. */
  readonly storagePageItemsMax: number;
  /** Entries that are sorted in memory where `sort` comes without `limit`. */
  readonly sortedItemsMax: number;
  /** Lists under way in this process that may look at any number of entries, however slowly they are read. */
  readonly listsAtATime: number;
  readonly listsPerUserMax: number;
  /** How long a list, a download or an upload may wait for others to end. */
  readonly waitSecondsMax: number;
  /** Downloads of images under way in this process; CPEs fetch theirs elsewhere. */
  readonly downloadsAtATime: number;
  readonly downloadsPerUserMax: number;
  /** Requests that bring content of images, in this process. */
  readonly uploadsAtATime: number;
  readonly uploadsPerUserMax: number;
  /** Of pages, and entries by their ids, that are held for clients of this process that have not taken them; more needs a place of a list. */
  readonly unreadBytesMax: number;
  /** Of one user. */
  readonly unreadBytesPerClientMax: number;
  /** CPEs that one SendCNR may match. */
  readonly connectionRequestsMax: number;
  /** Connection requests of one SendCNR under way at a time. */
  readonly connectionRequestsAtATime: number;
  /** Calls of ExplainRules under way in this process. */
  readonly explanationsAtATime: number;
  /** Calls of MatchDevices under way in this process; a user may have one. */
  readonly searchesAtATime: number;
  /** How long one MatchDevices may look. */
  readonly searchMsMax: number;
  /** CPEs that one MatchDevices may list. */
  readonly cpesListedMax: number;
}

/** Users that may each have all that one may before anyone finds no room. */
const BUSY_USERS = 5;
const LISTING_USERS = 4;

/** The limits where one user may have so many requests under way, so many lists, and so many downloads. */
export function nbiLimits(
  requestsPerUserMax: number,
  listsPerUserMax: number,
  downloadsPerUserMax: number,
): NbiLimits {
  return {
    ...NBI_LIMITS,
    downloadsAtATime: LISTING_USERS * downloadsPerUserMax,
    downloadsPerUserMax,
    requestsMax: BUSY_USERS * requestsPerUserMax,
    requestsPerClientMax: requestsPerUserMax,
    listsAtATime: LISTING_USERS * listsPerUserMax,
    listsPerUserMax,
  };
}

/** What may be held in memory, of bodies that come and of answers that are not taken, in all and of one user. */
export function nbiMemory(
  bodiesBytesMax: number,
  unreadBytesMax: number,
): Pick<
  NbiLimits,
  'bodiesBytesMax' | 'bodiesBytesPerClientMax' | 'unreadBytesMax' | 'unreadBytesPerClientMax'
> {
  return {
    bodiesBytesMax,
    bodiesBytesPerClientMax: bodiesBytesMax / 2,
    unreadBytesMax,
    unreadBytesPerClientMax: unreadBytesMax / 4,
  };
}

export const NBI_LIMITS: NbiLimits = {
  requestsMax: 1_000,
  requestsPerClientMax: 200,
  reservedMax: 200,
  reservedPerClientMax: 50,
  bodiesBytesMax: 64 * 1024 * 1024,
  bodiesBytesPerClientMax: 32 * 1024 * 1024,
  bodyBytesMax: 16 * 1024 * 1024,
  callBytesMax: 256 * 1024,
  bodyMsMax: MINUTE_MS,
  jsonDepthMax: 32,
  jsonTokensMax: 2_000_000,
  jsonKeysMax: 20_000,
  itemsMax: 10_000,
  recordBytesMax: 2 * 1024 * 1024,
  batchBytesMax: 8 * 1024 * 1024,
  reportedProblemsMax: 1_000,
  pageItemsMax: 1_000,
  storagePageItemsMax: 10_000,
  sortedItemsMax: 10_000,
  listsAtATime: 16,
  listsPerUserMax: 4,
  waitSecondsMax: 30,
  downloadsAtATime: 16,
  downloadsPerUserMax: 4,
  uploadsAtATime: 16,
  uploadsPerUserMax: 2,
  unreadBytesMax: 64 * 1024 * 1024,
  unreadBytesPerClientMax: 16 * 1024 * 1024,
  connectionRequestsMax: 1_000,
  connectionRequestsAtATime: 50,
  explanationsAtATime: 4,
  searchesAtATime: 2,
  searchMsMax: 30 * SECOND_MS,
  cpesListedMax: 1_000,
};

/** Values a request may name for one field (`id=a&id=b…`, `"id": ["a", "b" …]`). */
export const FILTER_VALUES_MAX = 1_000;

/** Entries that a list may begin behind by their number, all of which are read. */
export const OFFSET_ITEMS_MAX = 1_000_000;

/** Ids that one request may delete by. */
export const IDS_DELETED_MAX = 10_000;

/** Entries that are read without a place for lists. */
export const READ_SHORT_ITEMS_MAX = 2_000;

/** Entries that PUT, DELETE and a POST that is stored while it comes change in one atomic step. */
export const BATCH_ITEMS_MAX = 1_000;

/**
 * For `http.createServer`: a client that sends its header slowly is dropped; bodies have their own, shorter bounds, so the
 * time for a whole request only has to suffice for the largest image on a slow line; `listener.ts` has what a body must bring on its way.
 */
export const NBI_SERVER_OPTIONS = {
  headersTimeout: 20 * SECOND_MS,
  requestTimeout: 60 * MINUTE_MS,
  keepAliveTimeout: 20 * SECOND_MS,
  maxHeaderSize: 16 * 1024,
  /** Whoever is late is cut off within so much more. */
  connectionsCheckingInterval: 5 * SECOND_MS,
} as const;
