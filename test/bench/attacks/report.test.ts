import test from 'ava';
import { ATTACKS, EVERY_ATTACK } from '../../../bench/attacks/catalogue.js';
import type { AttackFigures } from '../../../bench/attacks/measure.js';
import { gaugesIn, placesMore } from '../../../bench/attacks/meter.js';
import { reportJson, reportText } from '../../../bench/attacks/report.js';
import { broken, PROMISES } from '../../../bench/attacks/verdicts.js';

const LOAD = {
  cpes: 100,
  pauseMs: 250,
  seconds: 10,
  rules: 20_000,
  cpus: { server: '0', attacker: '1', cpes: '2-15' },
};

/** All promises are kept just so, but for what is told otherwise. */
function figures(other: Partial<AttackFigures> = {}): AttackFigures {
  const told = { sessions: 1_000, failed: 0, seconds: 10, p50Ms: 1, p99Ms: 2 };
  return {
    name: 'guesses',
    finding: 10,
    describe: '',
    cpes: { before: told, during: { ...told, sessions: 700 } },
    brake: { calls: 20, failed: 0, worstMs: PROMISES.brakeMsMax },
    memoryBytes: { before: 100_000_000, peak: 149_000_000 },
    descriptors: { before: 30, after: 30 + PROMISES.descriptorsMoreMax },
    places: { by: 'in-use', more: 0 },
    newcomers: { letIn: 6, of: 6 },
    gauges: [],
    cpuSeconds: 1,
    attacker: { tally: { '200': 5 }, cpuSeconds: 1 },
    hasEnded: false,
    ...other,
  };
}

test('each promise that is not kept is named, and none that is kept to the bound', (t) => {
  t.deepEqual(broken(figures()), []);
  const { cpes } = figures();
  const fewer = { ...cpes, during: { ...cpes.during, sessions: 699 } };
  t.deepEqual(broken(figures({ cpes: fewer })), ['CPEs']);
  t.deepEqual(broken(figures({ brake: { calls: 9, failed: 0, worstMs: 1_001 } })), ['brake']);
  t.deepEqual(broken(figures({ brake: { calls: 9, failed: 1, worstMs: 5 } })), ['brake']);
  t.deepEqual(broken(figures({ brake: { calls: 0, failed: 0, worstMs: 0 } })), ['brake']);
  t.deepEqual(broken(figures({ memoryBytes: { before: 2, peak: 3 } })), ['memory']);
  t.deepEqual(broken(figures({ descriptors: { before: 30, after: 41 } })), ['files']);
  t.deepEqual(broken(figures({ places: { by: 'in-use', more: 1 } })), ['places']);
  t.deepEqual(broken(figures({ places: { by: 'in-use', more: Number.NaN } })), ['places']);
  const letIn = (after: number) => figures({ places: { by: 'let-in', before: 1_000, after } });
  t.deepEqual(broken(letIn(1_000 - PROMISES.placesFewerMax)), []);
  t.deepEqual(broken(letIn(994)), ['places']);
  t.deepEqual(broken(figures({ newcomers: { letIn: 5, of: 6 } })), ['log-in']);
});

test('where something was not counted nothing is said of it, and a server that has ended has kept no promise about what stays', (t) => {
  t.deepEqual(broken(figures({ places: null, newcomers: null })), []);
  // Elsewhere than on Linux.
  t.deepEqual(broken(figures({ memoryBytes: { before: 0, peak: 0 } })), []);
  t.deepEqual(broken(figures({ hasEnded: true })), ['files', 'places']);
});

test('the table fits 80 columns and names each attack in one line, whatever came of it', (t) => {
  const worst = {
    cpes: { before: figures().cpes.before, during: { ...figures().cpes.before, sessions: 0 } },
    brake: { calls: 20, failed: 20, worstMs: 10_000 },
    memoryBytes: { before: 100_000_000, peak: 2_049_000_000 },
    descriptors: { before: 30, after: 65_536 },
    places: { by: 'let-in', before: 1_000, after: 0 } as const,
    newcomers: { letIn: 0, of: 6 },
  };
  for (const outcome of [
    {},
    worst,
    { ...worst, hasEnded: true },
    { places: null },
    { places: { by: 'in-use', more: Number.NaN } as const },
  ]) {
    const attacks = EVERY_ATTACK.map(({ name, finding = null }) => figures({ ...outcome, name, finding }));
    const text = reportText([{ build: 'this work tree', attacks }], LOAD);
    for (const line of text.split('\n')) t.true(line.length <= 80, line);
    for (const { name, finding } of ATTACKS) {
      t.regex(text, new RegExp(`^│ ${finding === undefined ? '' : `${finding} `}${name} `, 'm'));
    }
  }
});

test('the report says under how many attacks everything was kept, and JSON what was not', (t) => {
  const attacks = [figures(), figures({ name: 'empty-lists', brake: { calls: 9, failed: 9, worstMs: 5 } })];
  const builds = [{ build: '0123456', attacks }];
  t.regex(reportText(builds, LOAD), /^All promises were kept under 1 of 2 attacks\.$/m);
  t.regex(reportText(builds, LOAD), /^│ 10 empty-lists .* 9\/9 no /m);
  const [build] = JSON.parse(reportJson(builds, LOAD)).builds;
  t.deepEqual(
    build.attacks.map(({ notKept }: { notKept: string[] }) => notKept),
    [[], ['brake']],
  );
  t.is(build.attacks[0].sessionsShare, 0.7);
});

test('names of attacks are different, and those of the review come before all of them together', (t) => {
  const names = EVERY_ATTACK.map(({ name }) => name);
  t.is(new Set(names).size, names.length);
  t.is(ATTACKS.at(-1)?.name, 'together');
});

test('gauges of Ferry and of handles are read from the metrics of any build, with their labels', (t) => {
  const metrics = [
    '# TYPE ferry_cwmp_sessions_open gauge',
    'ferry_cwmp_sessions_open 3',
    '# TYPE ferry_downloads_total counter',
    'ferry_downloads_total 7',
    '# TYPE nodejs_active_handles gauge',
    'nodejs_active_handles{type="Socket"} 5',
    '# TYPE process_open_fds gauge',
    'process_open_fds 30',
  ];
  t.deepEqual(
    [...gaugesIn(metrics.join('\n'))],
    [
      ['ferry_cwmp_sessions_open', 3],
      ['nodejs_active_handles{type="Socket"}', 5],
    ],
  );
  t.is(gaugesIn('').size, 0);
});

test('places of each kind that are taken and were not before add up, whatever others have given back', (t) => {
  const gauges = (requests: number, lists: number) =>
    new Map([
      ['ferry_nbi_places_in_use{kind="requests"}', requests],
      ['ferry_nbi_places_in_use{kind="lists"}', lists],
      ['ferry_cwmp_sessions_open', 7 * lists],
    ]);
  t.is(placesMore(gauges(1, 1), gauges(0, 3)), 2);
  t.is(placesMore(gauges(1, 1), gauges(1, 1)), 0);
  t.is(placesMore(gauges(1, 1), new Map()), Number.NaN);
  t.is(placesMore(new Map([['ferry_cwmp_sessions_open', 1]]), gauges(1, 1)), null);
});
