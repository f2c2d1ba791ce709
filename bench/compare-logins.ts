import { tableText } from '../cli/io.js';
import { dropDatabase, newDatabase } from './database.js';
import { drive, type Measurement, ServerProcess, together } from './drive.js';
import { type BenchLogin, basicOf, type Login, loginSession, ownLogin, SHARED_LOGIN } from './logins.js';
import { firstContact } from './sessions.js';
import { median, spreadOf } from './statistics.js';

/** Parts of a round, in which all ways are measured in turn. */
const BURSTS = 6;

/** What is stored in one commit. */
const OWNERS_A_CALL = 1_000;

interface Way {
  readonly name: string;
  readonly login: Login;
  readonly of: (cpe: number) => BenchLogin;
  /** The index of the way that it is compared with. */
  readonly against: number;
  /** How many times as much as that it may take of the server. */
  readonly budget: number | null;
}

const shared = () => SHARED_LOGIN;
const asked: Login = { kind: 'basic', when: 'asked' };
const WAYS: readonly Way[] = [
  {
    name: 'shared pair, Basic sent at once',
    login: { kind: 'basic', when: 'sent' },
    of: shared,
    against: 0,
    budget: null,
  },
  { name: 'shared pair, Basic when asked', login: asked, of: shared, against: 1, budget: null },
  { name: 'shared pair, Digest', login: { kind: 'digest' }, of: shared, against: 1, budget: 1.3 },
  {
    name: 'own pair, Basic sent at once',
    login: { kind: 'basic', when: 'sent' },
    of: ownLogin,
    against: 0,
    budget: null,
  },
  { name: 'own pair, Basic when asked', login: asked, of: ownLogin, against: 1, budget: null },
  { name: 'own pair, Digest', login: { kind: 'digest' }, of: ownLogin, against: 4, budget: 1.3 },
];

export interface LoginOptions {
  readonly rounds: number;
  readonly sessions: number;
  readonly cpes: number;
  readonly atATime: number;
  /** Address of a database; empty: the embedded store. */
  readonly store: string;
}

/**
 * Periodic sessions of CPEs that log in in one way and another, on one server, in turn. CPEs with credentials of their own are others than
 * those that share a pair, since that is wrong for them once they have used theirs.
 * @returns the table
 */
export async function compareLogins({
  rounds,
  sessions,
  cpes,
  atATime,
  store: url,
}: LoginOptions): Promise<string> {
  const store = url === '' ? '' : newDatabase(url, 'logins');
  const server = await ServerProcess.start('./ferry-server.js', ['--logins', `--store=${store}`]);
  const measured: Measurement[][] = WAYS.map(() => []);
  try {
    await drive(server, 2 * cpes, atATime, (cpe) => firstContact(server.port, cpe, basicOf(SHARED_LOGIN)));
    for (let from = cpes; from < 2 * cpes; from += OWNERS_A_CALL)
      await server.call({ owners: { from, until: Math.min(from + OWNERS_A_CALL, 2 * cpes) } });
    const measure = ({ login, of }: Way, count: number) =>
      drive(server, count, atATime, (index) => {
        const cpe = of === shared ? index % cpes : cpes + (index % cpes);
        return loginSession(server.port, cpe, login, of(cpe));
      });
    // Not counted: the server reaches its optimised code, and CPEs use their own.
    for (const way of WAYS) await measure(way, Math.max(cpes, Math.ceil(sessions / 2)));
    for (let round = 0; round < rounds; round++) {
      const bursts: Measurement[][] = WAYS.map(() => []);
      for (let burst = 0; burst < BURSTS; burst++) {
        const turn = [...WAYS.entries()];
        for (const [at, way] of (round + burst) % 2 === 0 ? turn : turn.toReversed())
          bursts[at]?.push(await measure(way, Math.ceil(sessions / BURSTS)));
      }
      for (const [at, all] of bursts.entries()) measured[at]?.push(together(all));
    }
  } finally {
    await server.stop();
    if (store !== '') await dropDatabase(store);
  }
  return report(measured);
}

function report(measured: readonly (readonly Measurement[])[]): string {
  const head = [
    'Login',
    'per second',
    'server µs each',
    'against',
    'per second',
    'server',
    'spread',
    'budget',
  ];
  const rows = WAYS.map(({ name, against, budget }, at) => {
    const all = measured[at] ?? [];
    const others = measured[against] ?? [];
    const ratios = (of: (measured: Measurement) => number) =>
      all.map((one, round) => of(one) / (others[round] === undefined ? Number.NaN : of(others[round])));
    const cpu = ratios(({ cpuMicroseconds }) => cpuMicroseconds);
    const { low, high } = spreadOf(cpu);
    return [
      name,
      Math.round(median(all.map(({ perSecond }) => perSecond))).toString(),
      Math.round(median(all.map(({ cpuMicroseconds }) => cpuMicroseconds))).toString(),
      WAYS[against]?.name ?? '',
      `× ${median(ratios(({ perSecond }) => perSecond)).toFixed(2)}`,
      `× ${median(cpu).toFixed(2)}`,
      `${low.toFixed(2)} to ${high.toFixed(2)}`,
      budget === null ? '' : `≤ ${budget}`,
    ];
  });
  return tableText(head, rows, process.stdout.columns ?? 160);
}
