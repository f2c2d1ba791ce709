import test, { type ExecutionContext } from 'ava';
import { SECOND_MS } from '../../common/index.js';
import { type CommitOutcome, openMongoStore, type Store, StoreError } from '../../store/index.js';
import { DatabaseServer, type PlayedFailure, secantusd } from '../support/database-server.js';
import { recordingLogger } from '../support/ferry.js';
import { ids, THINGS, type Thing } from './things.js';

// Errors as a replica set gives them while it fails over, and worse ones, played by the server itself.
const COMMITS = 12;
const FAILING_COMMITS = 300;
const WRITES = ['insert', 'update', 'delete', 'bulkWrite'] as const;
const COMMIT = ['commitTransaction'] as const;
const READS = ['find', 'aggregate', 'findAndModify'] as const;

const FAILURES: Readonly<Record<string, Omit<PlayedFailure, 'failCommands'>>> = {
  'NotWritablePrimary (10107)': { errorCode: 10107 },
  'ShutdownInProgress (91)': { errorCode: 91 },
  'NoSuchTransaction (251)': { errorCode: 251 },
  'a connection that is closed': { closeConnection: true },
};
/** Of a commit that went through all the same, or not: the server does not tell. */
const OPEN_ENDED: typeof FAILURES = {
  'a write concern that timed out (64)': {
    writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
  },
  'a primary that stepped down before others had it (189)': {
    writeConcernError: { code: 189, errmsg: 'primary stepped down' },
  },
  UnknownTransactionCommitResult: { errorCode: 50, errorLabels: ['UnknownTransactionCommitResult'] },
};
/** What stays until an operator does something, and what it is to the store's callers. */
const LASTING: readonly {
  readonly name: string;
  readonly errorCode: number;
  readonly code: StoreError['code'];
  readonly says: RegExp;
}[] = [
  { name: 'Unauthorized', errorCode: 13, code: 'unavailable', says: /refuses the credentials/ },
  { name: 'AuthenticationFailed', errorCode: 18, code: 'unavailable', says: /refuses the credentials/ },
  { name: 'OutOfDiskSpace', errorCode: 14031, code: 'no-space', says: /no space left/ },
  { name: 'InternalError', errorCode: 1, code: 'unavailable', says: /failCommand/ },
];

type Fate = 'committed' | 'not committed' | 'open';

function fateOf(outcome: PromiseSettledResult<CommitOutcome>): Fate {
  if (outcome.status === 'fulfilled') return outcome.value.committed ? 'committed' : 'not committed';
  const error: unknown = outcome.reason;
  if (!(error instanceof StoreError)) throw error;
  return /outcome is open/.test(error.message) ? 'open' : 'not committed';
}

const things = (store: Store) => store.collection<Thing>(THINGS);

/** Commits numbered documents, each with a count of all, while the server fails; then compares what was said with what is there. */
async function holdsTo(
  t: ExecutionContext,
  { server, store }: Open,
  name: string,
  failure: PlayedFailure,
  mode: { times?: number; skip?: number },
): Promise<Fate[]> {
  await server.fail(failure, mode);
  const names = Array.from({ length: COMMITS }, (_, at) => `${name}/${at}`);
  const outcomes = await Promise.allSettled(
    names.map((id) =>
      store.commit([
        things(store).inserting({ id, n: 1 }),
        things(store).counting(`total/${name}`, { total: 1 }),
      ]),
    ),
  );
  await server.heal();
  const there = new Set(await ids(things(store), { prefix: `${name}/` }));
  const fates = outcomes.map(fateOf);
  for (const [at, fate] of fates.entries()) {
    const id = `${name}/${at}`;
    if (fate === 'committed') t.true(there.has(id), `${id} was answered but is not there`);
    if (fate === 'not committed')
      t.false(there.has(id), `${id} is there though nothing was said to be changed`);
  }
  const total = await things(store).get(`total/${name}`);
  t.is((total?.document as { total?: number } | undefined)?.total ?? 0, there.size, name);
  return fates;
}

interface Open {
  readonly server: DatabaseServer;
  readonly store: Store;
}

function define(program: string): void {
  test('errors of a fail-over surface nowhere, and nothing is lost or done twice', async (t) => {
    const server = await DatabaseServer.start(t, program);
    const store = await openMongoStore({ url: server.url(), timeoutMs: 60_000 });
    t.teardown(() => store.close());
    await things(store).put({ id: 'before', n: 1 });
    for (const [name, failure] of Object.entries(FAILURES)) {
      for (const failCommands of [READS, WRITES, COMMIT]) {
        const commands = `${name} ${failCommands[0]}`;
        const fates = await holdsTo(
          t,
          { server, store },
          commands,
          { ...failure, failCommands },
          { times: 1 },
        );
        t.true(
          fates.every((fate) => fate === 'committed'),
          `${commands}: ${fates}`,
        );
      }
    }
    for (const [name, failure] of Object.entries(OPEN_ENDED)) {
      const data = { ...failure, failCommands: COMMIT };
      const fates = await holdsTo(t, { server, store }, name, data, { times: 2 });
      t.true(
        fates.every((fate) => fate === 'committed'),
        `${name}: ${fates}`,
      );
    }
  });

  test('errors that stay are told as what they are, logged now and then, and end by themselves', async (t) => {
    const server = await DatabaseServer.start(t, program);
    const { logger, events } = recordingLogger();
    const store = await openMongoStore({ url: server.url(), timeoutMs: 60_000, logger });
    t.teardown(() => store.close());
    await things(store).put({ id: 'before', n: 1 });
    for (const { name, errorCode, code, says } of LASTING) {
      const logged = events.length;
      const begunAtMs = performance.now();
      await server.fail({ failCommands: [...READS, ...WRITES, ...COMMIT], errorCode }, 'alwaysOn');
      const outcomes = await Promise.allSettled([
        things(store).get('before'),
        things(store).find({ limit: 1 }),
        things(store).count(),
        ...Array.from({ length: FAILING_COMMITS }, (_, at) =>
          things(store).put({ id: `${name}/${at}`, n: 1 }),
        ),
      ]);
      await server.heal();
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') return t.fail(`${name} did not fail`);
        t.like(outcome.reason, { code });
        t.regex((outcome.reason as Error).message, says);
      }
      const lines = events.slice(logged);
      // Each code once in ten seconds, however long a slow machine takes.
      const turns = 1 + Math.floor((performance.now() - begunAtMs) / (10 * SECOND_MS));
      t.true(lines.length < 5 * turns, `${name}: ${lines.length} lines in the log, of ${turns} turns`);
      // Kinds of failure that share a code share their lines as well.
      if (logged === 0) t.true(lines.some(({ fields }) => says.test(String(fields['error']))));
      t.deepEqual(await ids(things(store), { prefix: `${name}/` }), []);
      t.truthy(await things(store).put({ id: 'after', n: 1 }));
    }
  });
}

const program = secantusd();
if (program !== null) define(program);
