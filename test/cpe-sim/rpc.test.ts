import test from 'ava';
import { builtInModel, ParameterSet } from '../../cpe-sim/index.js';
import { answerDataModelRequest } from '../../cpe-sim/rpc.js';
import type { CpeResponse, SetParameter } from '../../cpe-sim/soap/index.js';

const model = builtInModel('tr181');

function get(parameters: ParameterSet, ...names: string[]): CpeResponse {
  return answerDataModelRequest({ type: 'GetParameterValues', names }, parameters);
}

function set(parameters: ParameterSet, ...values: [string, string, string | null][]): CpeResponse {
  const list: SetParameter[] = values.map(([name, value, type]) => ({ name, value, type }));
  return answerDataModelRequest(
    { type: 'SetParameterValues', parameters: list, parameterKey: 'k1' },
    parameters,
  );
}

test('GetParameterValues: a full path, a partial path, and the whole of it', (t) => {
  const parameters = new ParameterSet(model);
  t.deepEqual(get(parameters, 'Device.DeviceInfo.SoftwareVersion'), {
    type: 'GetParameterValuesResponse',
    parameters: [{ name: 'Device.DeviceInfo.SoftwareVersion', value: '1.0.0', type: 'string' }],
  });
  const partial = get(parameters, 'Device.WiFi.Radio.', 'Device.WiFi.Radio.1.Channel');
  t.is(partial.type, 'GetParameterValuesResponse');
  if (partial.type !== 'GetParameterValuesResponse') return;
  t.deepEqual(
    partial.parameters.map(({ name }) => name.slice('Device.WiFi.Radio.1.'.length)),
    ['Channel', 'Enable', 'OperatingFrequencyBand'],
  );
  const whole = get(parameters, '');
  t.true(whole.type === 'GetParameterValuesResponse' && whole.parameters.length > 60);
});

test('GetParameterValues: what does not exist is fault 9005', (t) => {
  for (const name of ['Device.Nope', 'Device.Nope.', 'Device.DeviceInfo', 'InternetGatewayDevice.'])
    t.like(get(new ParameterSet(model), name), { type: 'Fault', fault: { faultCode: 9005 } }, name);
});

test('secrets are set but read as empty', (t) => {
  const parameters = new ParameterSet(model);
  const path = 'Device.ManagementServer.ConnectionRequestPassword';
  set(parameters, [path, 's3cret', 'string']);
  t.is(parameters.value(path), 's3cret');
  t.deepEqual(get(parameters, path), {
    type: 'GetParameterValuesResponse',
    parameters: [{ name: path, value: '', type: 'string' }],
  });
});

test('SetParameterValues: all or none, with a fault for each wrong parameter', (t) => {
  const parameters = new ParameterSet(model);
  const answer = set(
    parameters,
    ['Device.WiFi.SSID.1.SSID', 'new', 'string'],
    ['Device.Nope', '1', 'string'],
    ['Device.DeviceInfo.SoftwareVersion', '9', 'string'],
    ['Device.WiFi.Radio.1.Channel', 'six', 'unsignedInt'],
    ['Device.WiFi.Radio.1.Enable', 'true', 'string'],
    ['Device.ManagementServer.PeriodicInformInterval', '0', null],
    ['Device.ManagementServer.URL', 'ftp://x/', 'string'],
    ['Device.WiFi.SSID.1.SSID', 'again', 'string'],
  );
  t.is(answer.type, 'Fault');
  if (answer.type !== 'Fault') return;
  t.is(answer.fault.faultCode, 9003);
  t.deepEqual(
    answer.parameterFaults.map(({ name, faultCode }) => [name.split('.').at(-1), faultCode]),
    [
      ['Nope', 9005],
      ['SoftwareVersion', 9008],
      ['Channel', 9007],
      ['Enable', 9006],
      ['PeriodicInformInterval', 9007],
      ['URL', 9007],
      ['SSID', 9003],
    ],
  );
  t.is(parameters.value('Device.WiFi.SSID.1.SSID'), 'ferry');
  t.is(parameters.value('Device.ManagementServer.ParameterKey'), '');
});

test('SetParameterValues: what fits is set, with its ParameterKey, and touches no other CPE of the model', (t) => {
  const parameters = new ParameterSet(model);
  const other = new ParameterSet(model);
  t.deepEqual(set(parameters, ['Device.WiFi.Radio.1.Channel', '11', 'unsignedInt']), {
    type: 'SetParameterValuesResponse',
    status: 0,
  });
  t.is(parameters.value('Device.WiFi.Radio.1.Channel'), '11');
  t.is(parameters.value('Device.ManagementServer.ParameterKey'), 'k1');
  t.is(other.value('Device.WiFi.Radio.1.Channel'), '6');
});

test('GetParameterNames: the next level, or all below, objects with their trailing dot', (t) => {
  const names = (path: string, nextLevel: boolean): string[] | number => {
    const answer = answerDataModelRequest(
      { type: 'GetParameterNames', path, nextLevel },
      new ParameterSet(model),
    );
    if (answer.type === 'GetParameterNamesResponse')
      return answer.parameters.map(({ name, writable }) => name + (writable ? '*' : ''));
    return answer.type === 'Fault' ? answer.fault.faultCode : -1;
  };
  t.deepEqual(names('', true), ['Device.']);
  t.deepEqual(names('Device.WiFi.', true), [
    'Device.WiFi.AccessPoint.',
    'Device.WiFi.Radio.',
    'Device.WiFi.RadioNumberOfEntries',
    'Device.WiFi.SSID.*',
    'Device.WiFi.SSIDNumberOfEntries',
  ]);
  t.deepEqual(names('Device.WiFi.SSID.', false), [
    'Device.WiFi.SSID.*',
    'Device.WiFi.SSID.1.',
    'Device.WiFi.SSID.1.Enable*',
    'Device.WiFi.SSID.1.SSID*',
  ]);
  t.deepEqual(names('Device.WiFi.SSID.1.SSID', false), ['Device.WiFi.SSID.1.SSID*']);
  t.is(names('Device.WiFi.SSID.1.SSID', true), 9003);
  t.is(names('Device.Nope.', false), 9005);
});
