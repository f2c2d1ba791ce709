import test, { type ExecutionContext } from 'ava';
import { type CpeId, DAY_MS } from '../../common/index.js';
import type { SimulatedCpe } from '../../cpe-sim/index.js';
import { Gate } from '../../cpe-sim/timers.js';
import type { BatchThrough } from '../../rollout/index.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { firmwareSlotsView, scCloudView, systemUpdateView } from './device-views.js';
import { Barrier, cpeidOf, createCpe, introduce, sessionsEnded, startFileProxy } from './simulated.js';
import type { MomentName } from './view-words.js';
import { newest, openViews, type View } from './views.js';

// One upgrade, begun through one API and watched through all of them, at every moment that docs/api/README.md has a row for.

/** Nothing calls them: they come when the walk has them come. */
const CPES = {
  good: ['early-complete'],
  fails: ['transfer:9010'],
  gone: ['never-back'],
  undecided: [],
  withdrawn: [],
  unfit: [],
} as const;
type Name = keyof typeof CPES;

const THROUGHS: readonly (BatchThrough | null)[] = [
  null,
  'batches',
  'firmware-upgrader',
  'system-update',
  'firmware-slots',
  'sc-cloud',
];

interface Walk {
  readonly ferry: TestFerry;
  readonly views: readonly View[];
  readonly by: View;
  readonly cpes: Readonly<Record<Name, SimulatedCpe>>;
  readonly names: readonly Name[];
}

for (const through of THROUGHS) {
  test(`what is begun ${through === null ? "by an author's rule" : `through ${through}`} all APIs tell of alike`, async (t) => {
    let aheadMs = 0;
    const barrier = new Barrier();
    const proxy = await startFileProxy(t, barrier);
    const ferry = await startTestFerry(t, {
      clock: () => Date.now() + aheadMs,
      config: { publicFileUrl: [proxy.url] },
    });
    proxy.target = ferry.urls.files;
    const views = [
      ...(await openViews(t, ferry)),
      systemUpdateView(t, ferry),
      firmwareSlotsView(t, ferry),
      await scCloudView(t, ferry),
    ];
    const by = views.find((view) => view.through === through);
    if (by === undefined) throw new Error(`there is no view of ${through}`);
    const gate = new Gate(1);
    const names = (Object.keys(CPES) as Name[]).filter((name) => through === 'batches' || name !== 'unfit');
    const cpes = {} as Record<Name, SimulatedCpe>;
    for (const name of names) {
      const productClass = name === 'unfit' ? 'OTHER' : 'HGW';
      cpes[name] = createCpe(t, ferry.urls.cwmp, name, {
        faults: CPES[name],
        ...(name === 'good' && { gate }),
        identity: { manufacturer: 'Ferry Simulator', oui: '00A1B2', productClass, serialNumber: name },
      });
      await introduceAs(ferry, cpes[name], cpeidOfName(name));
    }
    const walk: Walk = { ferry, views, by, cpes, names };
    for (const name of names) await by.start(cpeidOfName(name));
    await all(t, walk, names, 'waiting');

    await withdraw(t, walk, 'withdrawn');
    await told(t, walk, 'withdrawn', 'withdrawn');
    const coming = names.filter((name) => name !== 'withdrawn');
    for (const name of coming) await comes(cpes[name]);
    await all(t, walk, ['good', 'gone', 'undecided'], 'sent');
    await ended(ferry, 'fails');
    await told(t, walk, 'fails', 'failed');
    if (names.includes('unfit')) await told(t, walk, 'unfit', 'refused');

    await giveUp(ferry, cpeidOfName('undecided'));
    await comes(cpes.undecided);
    await told(t, walk, 'undecided', 'given up');

    // The one that boots is held before it says what it runs by then.
    const held = new Promise<void>((resolve) => {
      cpes.good.events.once('session', () => resolve(gate.enter()));
    });
    barrier.open();
    await held;
    await told(t, walk, 'good', 'transferred');
    gate.leave();
    await ended(ferry, 'good');
    await told(t, walk, 'good', 'verified');

    await until('it is off for good', () => cpes.gone.phase !== 'on');
    await told(t, walk, 'gone', 'sent');
    aheadMs = 3 * DAY_MS;
    await ferry.acs.sweep();
    await told(t, walk, 'gone', 'not heard of');
  });
}

function cpeidOfName(name: Name): CpeId {
  return (name === 'unfit' ? '00A1B2-OTHER-unfit' : cpeidOf(name)) as CpeId;
}

async function introduceAs(ferry: TestFerry, cpe: SimulatedCpe, cpeid: CpeId): Promise<void> {
  if (cpeid === cpeidOf(cpe.identity.serialNumber)) return introduce(ferry.nbi, cpe);
  cpe.start();
  await until(`${cpeid} is known`, async () => {
    const device = await ferry.acs.devices.get(cpeid);
    return device?.provisioning === 'done' && !cpe.inSession;
  });
}

/** It has something to say, and what waits for it is sent. */
async function comes(cpe: SimulatedCpe): Promise<void> {
  const over = sessionsEnded(cpe);
  cpe.change('Device.ManagementServer.PeriodicInformTime', `2026-01-01T00:00:0${cpe.downloads.length}Z`);
  await over;
}

async function all(t: ExecutionContext, walk: Walk, names: readonly Name[], moment: MomentName) {
  for (const name of names) await told(t, walk, name, moment);
}

async function told(t: ExecutionContext, { views, by }: Walk, name: Name, moment: MomentName) {
  const found: [string, string][] = [];
  for (const view of views) found.push([view.name, await view.told(cpeidOfName(name))]);
  t.deepEqual(
    Object.fromEntries(found),
    Object.fromEntries(views.map((view) => [view.name, view.words(moment, by.through)])),
    `${name}: ${moment}`,
  );
}

/** Takes back what waits, as whoever began it can. */
async function withdraw(t: ExecutionContext, { ferry, by }: Walk, name: Name): Promise<void> {
  const cpeid = cpeidOfName(name);
  const { waiting } = await ferry.upgrading.cpeUpgrades.now(cpeid);
  if (waiting === null) throw new Error('nothing waits');
  const path =
    waiting.batch === null
      ? `/v1/dyn/FirmwareStorage/${encodeURIComponent(waiting.ruleId ?? '')}`
      : `/v1/batches/${waiting.batch}/operations/${cpeid}/cancel`;
  const { status, body } = await ferry.nbi(waiting.batch === null ? 'DELETE' : 'POST', path);
  t.is(status, 200, `${by.name}: ${JSON.stringify(body)}`);
}

/** Asks for what runs to be given up. */
async function giveUp(ferry: TestFerry, cpeid: CpeId): Promise<void> {
  const upgrade = await newest(ferry, cpeid);
  if (upgrade?.resultId == null) throw new Error('nothing runs');
  await ferry.acs.upgrades.withdraw(upgrade.resultId);
}

async function ended({ upgrading }: TestFerry, name: Name): Promise<void> {
  await until(`${name} has ended`, async () => (await upgrading.cpeUpgrades.now(cpeidOfName(name))).ended);
}
