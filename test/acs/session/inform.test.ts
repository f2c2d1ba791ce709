import test from 'ava';
import fc from 'fast-check';
import type { Device } from '../../../acs/device/device.js';
import { informed, withNamedFields } from '../../../acs/session/inform.js';
import type { Inform, Parameter } from '../../../acs/soap/index.js';
import type { CpeId } from '../../../common/index.js';

const cpeid = 'A-1' as CpeId;
const from = { ip: '192.0.2.1', style: { namespace: 'urn:dslforum-org:cwmp-1-0' }, nowMs: 1 } as const;
const VERSION = 'Device.DeviceInfo.SoftwareVersion';
const URL = 'Device.ManagementServer.ConnectionRequestURL';

function reporting(values: Readonly<Record<string, string>>): readonly Parameter[] {
  return Object.entries(values).map(([name, value]) => ({ name, value, xsdType: 'string' }));
}

function inform(
  values: Readonly<Record<string, string>>,
  events: readonly string[] = ['2 PERIODIC'],
): Inform {
  return {
    type: 'Inform',
    deviceId: { manufacturer: 'M', oui: 'A', productClass: '', serialNumber: '1' },
    events: events.map((eventCode) => ({ eventCode, commandKey: '' })),
    maxEnvelopes: 1,
    currentTime: '',
    retryCount: 0,
    parameters: reporting(values),
  };
}

const known: Device = informed(
  null,
  cpeid,
  inform({ [VERSION]: '1.0', [URL]: 'http://192.0.2.1/' }),
  from,
).device;

test('a ConnectionRequestURL beyond its bound is refused, not shortened, and no older one is called in its place', (t) => {
  const atBound = `http://192.0.2.1/${'x'.repeat(1_024 - 17)}`;
  t.is(informed(known, cpeid, inform({ [URL]: atBound }), from).device.connectionRequestUrl, atBound);
  const { device, refused, mustBeDurable } = informed(known, cpeid, inform({ [URL]: `${atBound}y` }), from);
  t.false('connectionRequestUrl' in device);
  t.deepEqual(device.refusedFields, {
    connectionRequestUrl: 'has 1025 characters, and at most 1024 are taken',
  });
  t.deepEqual(refused, device.refusedFields ?? {});
  t.true(mustBeDurable);
});

test('a field that was refused is known again by a value within its bound, and only that one', (t) => {
  const long = { [VERSION]: 'v'.repeat(257), [URL]: 'u'.repeat(2_000) };
  const { device } = withNamedFields(known, reporting(long), 'Device', 2);
  t.deepEqual(Object.keys(device.refusedFields ?? {}).sort(), ['connectionRequestUrl', 'softwareVersion']);
  const again = withNamedFields(device, reporting({ [VERSION]: '2.0' }), 'Device', 2);
  t.is(again.device.softwareVersion, '2.0');
  t.is(again.reportedVersion, '2.0');
  t.deepEqual(Object.keys(again.device.refusedFields ?? {}), ['connectionRequestUrl']);
  const all = withNamedFields(again.device, reporting({ [URL]: 'http://192.0.2.1/' }), 'Device', 2);
  t.false('refusedFields' in all.device);
});

const FIELD_OF: Readonly<Record<string, string>> = {
  [VERSION]: 'softwareVersion',
  [URL]: 'connectionRequestUrl',
  'Device.DeviceInfo.ModelName': 'modelName',
};

test('whatever a CPE reports of a named field is kept whole or not at all', (t) => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ minLength: 250, maxLength: 1_200 }));
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(FIELD_OF)), text, (name, value) => {
      const { device } = withNamedFields(known, reporting({ [name]: value }), 'Device', 2);
      const field = FIELD_OF[name] ?? '';
      const shown = Object.entries(device).find(([key]) => key === field)?.[1];
      const refused = Object.keys(device.refusedFields ?? {}).includes(field);
      t.is(shown, refused ? undefined : value);
    }),
    { numRuns: 300 },
  );
});

test('paths that failed are asked for again after a boot, those that are settled after another version', (t) => {
  const failedPaths = { paths: ['Device.A'], untilMs: 10 };
  const unansweredPaths = { paths: ['Device.C'], untilMs: 10 };
  const device: Device = { ...known, askedPaths: ['Device.B'], failedPaths, unansweredPaths };
  const seen = (changes: Readonly<Record<string, string>>, ...events: string[]) =>
    informed(device, cpeid, inform({ [VERSION]: '1.0', ...changes }, events), from);
  t.like(seen({}, '2 PERIODIC').device, { askedPaths: ['Device.B'], failedPaths });
  const booted = seen({}, '1 BOOT');
  t.true(booted.mustBeDurable);
  t.deepEqual(booted.device.askedPaths, ['Device.B']);
  t.false('failedPaths' in booted.device);
  t.deepEqual(booted.device.unansweredPaths, unansweredPaths, 'the boot may come of being asked');
  t.false('unansweredPaths' in seen({ [VERSION]: '2.0' }, '1 BOOT').device);
  for (const { device: after } of [seen({ [VERSION]: '2.0' }, '2 PERIODIC'), seen({}, '0 BOOTSTRAP')]) {
    t.false('askedPaths' in after);
    t.false('failedPaths' in after);
  }
});

test('that a CPE does not know CancelTransfer is forgotten with its version, and not before', (t) => {
  const device: Device = { ...known, cancelUnsupported: true };
  const seen = (version: string, event: string) =>
    informed(device, cpeid, inform({ [VERSION]: version }, [event]), from).device;
  t.true(seen('1.0', '2 PERIODIC').cancelUnsupported);
  t.true(seen('1.0', '1 BOOT').cancelUnsupported);
  t.false('cancelUnsupported' in seen('2.0', '2 PERIODIC'));
  t.false('cancelUnsupported' in seen('1.0', '0 BOOTSTRAP'));
});

test('a ConnectionRequestURL that moves to another address is noted, durably, whichever report it comes in', (t) => {
  const report = { [URL]: 'http://192.0.2.2/' };
  const later = { ...from, ip: '192.0.2.2', nowMs: 7 };
  const byInform = informed(known, cpeid, inform(report), later);
  t.true(byInform.mustBeDurable);
  const byAnswer = withNamedFields(known, reporting(report), 'Device', 7);
  for (const { device, moved } of [byInform, byAnswer]) {
    t.is(device.connectionRequestMovedMs, 7);
    t.deepEqual(moved, { from: '192.0.2.1', to: '192.0.2.2' });
  }
  // The Inform is the last one again, and what was asked for in between had said otherwise.
  const back = informed(byAnswer.device, cpeid, inform({ [VERSION]: '1.0', [URL]: 'http://192.0.2.1/' }), {
    ...from,
    nowMs: 8,
  });
  t.false(back.parametersChanged && back.device.parametersBytes !== undefined);
  t.true(back.mustBeDurable);
  t.is(back.device.connectionRequestMovedMs, 8);
});
