import test from 'ava';
import { CpeDescriptionError, describedCpe } from '../../../acs/index.js';
import type { CpeId } from '../../../common/index.js';
import { OrganizationsNow } from '../../../organizations/index.js';
import { deviceOf } from '../../nbi/support.js';
import { envelope, INFORM } from '../soap/envelopes.js';

const nowMs = Date.UTC(2026, 0, 1);
const inform = Buffer.from(envelope(INFORM));

const refusal = (description: Parameters<typeof describedCpe>[0]) =>
  describedCpe(description, { nowMs }).then(
    () => null,
    (error: unknown) => (error instanceof CpeDescriptionError ? error.problems[0]?.field : error),
  );

test('what a description leaves out is filled in, and its times become epoch milliseconds', async (t) => {
  const { input, inFlight } = await describedCpe(
    { cpe: { softwareVersion: '1', lastInform: '2025-12-31T01:00:00+01:00' } },
    { nowMs },
  );
  t.deepEqual(input.context, {
    cpeid: '00A1B2-HGW-1' as CpeId,
    oui: '00A1B2',
    productClass: 'HGW',
    serialNumber: '1',
    manufacturer: '',
    softwareVersion: '1',
    events: ['2 PERIODIC'],
    tags: [],
    organization: 'default',
    ip: '192.0.2.1',
    identity: { proven: false },
    lastInform: Date.UTC(2025, 11, 31),
    registered: nowMs,
    now: nowMs,
    model: 'HGW',
  });
  t.deepEqual(await input.unread(['Device.X.Y']), []);
  t.is(inFlight, null);
});

test('a cpeid alone identifies its CPE, with or without a product class, and whatever is in its parts', async (t) => {
  const parts = async (cpeid: string) => {
    const { oui, productClass, serialNumber } = (await describedCpe({ cpe: { cpeid } }, { nowMs })).input
      .context;
    return [oui, productClass, serialNumber];
  };
  t.deepEqual(await parts('00A1B2-HGW-7'), ['00A1B2', 'HGW', '7']);
  t.deepEqual(await parts('00A1B2-7'), ['00A1B2', '', '7']);
  t.deepEqual(await parts('00A1B2-H~2DW-7~C3~A9~2541'), ['00A1B2', 'H-W', '7é%41']);
});

test('parameters are taken by full name, as a tree, and mixed, and end up the same', async (t) => {
  const tree = async (parameters: object) => {
    const { input } = await describedCpe({ cpe: { parameters } }, { nowMs });
    return JSON.parse(JSON.stringify(await input.readParameters()));
  };
  const wanted = { Device: { A: { '1': { B: 1 } }, C: 'x' } };
  t.deepEqual(await tree({ 'Device.A.1.B': 1, 'Device.C': 'x' }), wanted);
  t.deepEqual(await tree(wanted), wanted);
  t.deepEqual(await tree({ Device: { 'A.1': { B: 1 } }, 'Device.C': 'x' }), wanted);
});

test('a description goes before its Inform, and its Inform before what is known of the CPE', async (t) => {
  const known = deviceOf({ serialNumber: '1', tags: ['lab'], registeredMs: 7 });
  const devices = {
    get: async (id: CpeId) => (id === known.id ? known : null),
    parameters: async () => ({ 'Device.X.Old': 1, 'Device.X.New': 1 }),
    organizations: () => new OrganizationsNow(0, []),
  };
  const cpe = { organization: 'south', parameters: { Device: { X: { New: 2 } } } };
  const { input } = await describedCpe({ cpe, inform }, { nowMs }, { known: devices });
  t.like(input.context, { cpeid: known.id, tags: ['lab'], organization: 'south', registered: 7 });
  t.like(await input.readParameters(), { Device: { X: { Old: 1, New: 2 } } });
  t.deepEqual(await input.unread(['InternetGatewayDevice.X.Y', 'Device.X.Y']), ['Device.X.Y']);

  const alone = await describedCpe({ cpe, inform }, { nowMs });
  t.like(alone.input.context, { cpeid: known.id, tags: [], registered: nowMs });
  t.deepEqual(await alone.input.unread(['Device.X.Y']), []);
});

test('a CPE that is told of belongs to the organization that is asked about, else to the one it is said to, else where it is or to the default', async (t) => {
  const organizationOf = (id: string, isDefault = false) =>
    ({
      id,
      slug: id.toUpperCase(),
      name: id,
      active: true,
      isDefault,
      order: 1,
      rules: [],
      createdAtMs: 0,
    }) as never;
  const organizations = new OrganizationsNow(1, [
    organizationOf('all', true),
    organizationOf('north'),
    organizationOf('south'),
  ]);
  const known = deviceOf({ serialNumber: '1', organization: { id: 'south' as never, by: 'hand' } });
  const devices = {
    get: async (id: CpeId) => (id === known.id ? known : null),
    parameters: async () => ({}),
    organizations: () => organizations,
  };
  const belongs = async (asked: string | null, said?: string, body?: Buffer) => {
    const belonging = { organizations, organization: asked === null ? null : organizations.get(asked) };
    const description = {
      cpe: said === undefined ? {} : { organization: said },
      ...(body && { inform: body }),
    };
    const { input } = await describedCpe(description, { nowMs }, { known: devices, belonging });
    return [input.organization, input.context.organization];
  };
  t.deepEqual(await belongs(null), ['all', 'ALL']);
  t.deepEqual(await belongs(null, 'NORTH'), ['north', 'NORTH']);
  t.deepEqual(await belongs(null, 'nowhere'), [undefined, 'nowhere']);
  t.deepEqual(await belongs(null, undefined, inform), ['south', 'SOUTH']);
  t.deepEqual(await belongs(null, 'NORTH', inform), ['north', 'NORTH']);
  t.deepEqual(await belongs('north'), ['north', 'NORTH']);
  t.deepEqual(await belongs('north', 'north', inform), ['north', 'NORTH']);
  for (const said of ['SOUTH', 'nowhere'])
    await t.throwsAsync(belongs('north', said), { message: /^cpe\.organization: NORTH, or left out/ });
});

test('what cannot be is refused by its field', async (t) => {
  t.is(await refusal({ cpe: null }), 'cpe');
  t.is(await refusal({ cpe: { cpu: 1 } }), 'cpe.cpu');
  t.is(await refusal({ cpe: { cpeid: 'a-b-c-d' } }), 'cpe.cpeid');
  t.is(await refusal({ cpe: { cpeid: 'a-b~G0' } }), 'cpe.cpeid');
  t.is(await refusal({ cpe: { cpeid: '00A1B2-HGW-1', oui: '00A1B3' } }), 'cpe.cpeid');
  t.is(await refusal({ cpe: { cpeid: '-1' } }), 'cpe.oui');
  t.is(await refusal({ cpe: { serialNumber: '~'.repeat(200) } }), 'cpe');
  t.is(await refusal({ cpe: { registered: '2026-02-31T00:00:00Z' } }), 'cpe.registered');
  t.is(await refusal({ cpe: { parameters: { Device: { 'a..b': 1 } } } }), 'cpe.parameters.Device.a..b');
  t.is(await refusal({ cpe: { parameters: { Device: null } } }), 'cpe.parameters.Device');
  t.is(await refusal({ cpe: { parameters: { 'Device.A': 'x'.repeat(1_025) } } }), 'cpe.parameters.Device.A');
  t.is(await refusal({ inform: Buffer.from('<a/>') }), 'inform');
  t.is(await refusal({ inform: Buffer.from(envelope('<cwmp:GetRPCMethods/>')) }), 'inform');
  let deep: object = { A: 1 };
  for (let level = 0; level < 200; level++) deep = { A: deep };
  t.regex(String(await refusal({ cpe: { parameters: { Device: deep } } })), /^cpe\.parameters\.Device\.A/);
});

test('what is in a description by the name of what every object has is a parameter like others, or refused', async (t) => {
  const hostile = JSON.parse('{"Device": {"__proto__": {"polluted": 1}, "constructor": {"a": 1}}}');
  const { input } = await describedCpe({ cpe: { parameters: hostile } }, { nowMs });
  t.true(JSON.stringify(await input.readParameters()).includes('"__proto__":{"polluted":1}'));
  t.is(Reflect.get({}, 'polluted'), undefined);
  t.is(await refusal({ cpe: JSON.parse('{"__proto__": {"oui": "1"}}') }), 'cpe.__proto__');
});

test('of a secret that is described or captured a condition sees what it would of a CPE: that it is set', async (t) => {
  const name = 'InternetGatewayDevice.ManagementServer.ConnectionRequestPassword';
  const captured = Buffer.from(
    envelope(
      INFORM.replace(
        '</ParameterList>',
        `<ParameterValueStruct><Name>${name}</Name><Value>hunter2</Value></ParameterValueStruct></ParameterList>`,
      ),
    ),
  );
  for (const description of [{ inform: captured }, { cpe: { parameters: { [name]: 'hunter2' } } }]) {
    const { input } = await describedCpe(description, { nowMs });
    const seen = JSON.stringify(await input.readParameters());
    t.regex(seen, /"ConnectionRequestPassword":"set"/);
    t.notRegex(seen, /hunter2/);
  }
});
