import test from 'ava';
import { type HealthParts, healthChecks } from '../../cli/health.js';
import type { DutyState } from '../../store/index.js';

const NOTHING_AMISS = {
  rules: { stopped: 0, suspended: 0, 'image-missing': 0, 'unknown-field': 0 },
  isFrozen: false,
  organizationsFrozen: 0,
  imagesUnreadable: 0,
};

function partsWith(over: Partial<HealthParts> = {}): HealthParts {
  return {
    rules: { freezeState: async () => ({ frozen: false }), suspendedCount: async () => 0 },
    store: { damage: { documents: 0 } },
    duties: dutiesOf(),
    serving: { state: 'serving' },
    watcher: null,
    clockWatch: null,
    disk: null,
    attention: { now: NOTHING_AMISS },
    ...over,
  };
}

function dutiesOf(overdue: readonly string[] = []): HealthParts['duties'] {
  const states = ['sweep', 'purge', 'waking', 'ruleFiles'].map(
    (id): DutyState => ({ id, ageMs: 1, isOverdue: overdue.includes(id), by: null }),
  );
  return { states, look: async () => states };
}

const APPLIED = { state: 'applied', atMs: 0, files: 1, rules: 1, lastScanAgeMs: 0 } as const;
const BROKEN = { state: 'broken', atMs: 0, problems: [], lastScanAgeMs: 0 } as const;

test('while all is well every part says so, the old ones first', async (t) => {
  const { health, ready } = healthChecks(
    partsWith({ clockWatch: { isGood: true }, disk: { look: async () => true } }),
  );
  t.is(
    JSON.stringify(await health()),
    '{"status":"ok","parts":{"store":"ok","rules":"ok","ruleFiles":"ok","clock":"ok","process":"ok","disk":"ok","sweep":"ok","purge":"ok","waking":"ok","upgrades":"ok","images":"ok"}}',
  );
  t.deepEqual(await ready(), {
    status: 'ok',
    parts: { process: 'ok', store: 'ok', ruleFiles: 'ok' },
  });
});

for (const [what, over, part] of [
  ['a document that cannot be read', { store: { damage: { documents: 1 } } }, 'store'],
  ['a rule that is suspended', { rules: { ...partsWith().rules, suspendedCount: async () => 1 } }, 'rules'],
  [
    'a rule that its failures have stopped',
    { attention: { now: { ...NOTHING_AMISS, rules: { ...NOTHING_AMISS.rules, stopped: 1 } } } },
    'rules',
  ],
  [
    'the emergency brake',
    { rules: { ...partsWith().rules, freezeState: async () => ({ frozen: true }) } },
    'upgrades',
  ],
  [
    'an image that cannot be read',
    { attention: { now: { ...NOTHING_AMISS, imagesUnreadable: 1 } } },
    'images',
  ],
  ['a broken rule file', { watcher: { status: () => BROKEN } }, 'ruleFiles'],
  [
    'a rule directory that cannot be read',
    { watcher: { status: () => ({ state: 'failed', atMs: 0, error: 'EIO', lastScanAgeMs: 0 }) } },
    'ruleFiles',
  ],
  [
    'rule files that nobody looks at',
    { watcher: { status: () => APPLIED }, duties: dutiesOf(['ruleFiles']) },
    'ruleFiles',
  ],
  [
    'a file system that does not answer',
    { watcher: { status: () => ({ state: 'hanging', atMs: 0, lastScanAgeMs: 0 }) } },
    'ruleFiles',
  ],
  [
    'a scan that does not end',
    { watcher: { status: () => ({ ...APPLIED, lastScanAgeMs: 121_000 }) } },
    'ruleFiles',
  ],
  ['a clock that is off', { clockWatch: { isGood: false } }, 'clock'],
  ['a disk that is full', { disk: { look: async () => false } }, 'disk'],
  ['a sweep that nobody does', { duties: dutiesOf(['sweep']) }, 'sweep'],
  ['waking that nobody does', { duties: dutiesOf(['waking']) }, 'waking'],
] as const satisfies readonly (readonly [string, Partial<HealthParts>, string])[]) {
  test(`${what} is degraded, and keeps nobody from serving`, async (t) => {
    const { health, ready } = healthChecks(partsWith(over));
    t.like(await health(), { status: 'ok', parts: { store: 'ok', [part]: 'degraded' } });
    t.like(await ready(), { status: 'ok' });
  });
}

test('only a process that cannot serve is failing: without its store, or as it stops', async (t) => {
  const silent = partsWith({
    rules: { ...partsWith().rules, freezeState: () => Promise.reject(new Error('no store')) },
  });
  for (const check of Object.values(healthChecks(silent))) {
    t.like(await check(), { status: 'failing', parts: { store: 'failing' } });
  }
  const stopping = healthChecks(partsWith({ serving: { state: 'stopping' } }));
  for (const check of Object.values(stopping)) {
    t.like(await check(), { status: 'failing', parts: { process: 'failing', store: 'ok' } });
  }
});

test('no CPEs are to be sent to a process that does not listen yet, or has not looked for rules', async (t) => {
  const starting = healthChecks(partsWith({ serving: { state: 'starting' } }));
  t.like(await starting.ready(), { status: 'failing', parts: { process: 'failing' } });
  t.like(await starting.health(), { status: 'ok' });
  const unread = healthChecks(
    partsWith({ watcher: { status: () => ({ state: 'starting', lastScanAgeMs: null }) } }),
  );
  t.like(await unread.ready(), { status: 'failing', parts: { ruleFiles: 'failing' } });
});
