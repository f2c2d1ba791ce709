import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  BUILT_IN_MODELS,
  builtInModel,
  DataModelError,
  dataModelFromCsv,
  dataModelFromJson,
  loadDataModel,
} from '../../cpe-sim/index.js';

test('both models that come along have what every Inform needs', (t) => {
  for (const name of BUILT_IN_MODELS) {
    const model = builtInModel(name);
    const last = model.informPaths.map((path) => path.split('.').slice(1).join('.'));
    for (const path of [
      'DeviceInfo.HardwareVersion',
      'DeviceInfo.SoftwareVersion',
      'DeviceInfo.ProvisioningCode',
      'ManagementServer.ParameterKey',
      'ManagementServer.ConnectionRequestURL',
    ])
      t.true(last.includes(path), `${name} ${path}`);
    t.true(last.some((path) => path.endsWith('IPAddress')));
  }
});

test('a plain CSV gives types, values and what may be written', (t) => {
  const model = dataModelFromCsv(
    'parameter,type,writable,value\nDevice.DeviceInfo.ModelName,string,false,"A ""B"", C"\nDevice.X_A.Count,xsd:unsignedInt,true,7\n',
  );
  t.deepEqual(model.parameter('Device.DeviceInfo.ModelName'), {
    value: 'A "B", C',
    type: 'string',
    writable: false,
  });
  t.deepEqual(model.parameter('Device.X_A.Count'), { value: '7', type: 'unsignedInt', writable: true });
  t.is(model.parameter('Device.ManagementServer.PeriodicInformInterval')?.type, 'unsignedInt');
});

test("GenieACS's CSV is read as it is exported", (t) => {
  const model = dataModelFromCsv(
    [
      'Parameter,Object,Object timestamp,Writable,Writable timestamp,Value,Value type,Value type timestamp,Notification,Notification timestamp,Access list,Access list timestamp',
      'InternetGatewayDevice,true,2023-01-01T00:00:00.000Z,false,2023-01-01T00:00:00.000Z,,,,,,,',
      'InternetGatewayDevice.LANDevice.1,true,2023-01-01T00:00:00.000Z,true,2023-01-01T00:00:00.000Z,,,,,,,',
      'InternetGatewayDevice.DeviceInfo.SoftwareVersion,false,2023-01-01T00:00:00.000Z,false,2023-01-01T00:00:00.000Z,V5.2,xsd:string,2023-01-01T00:00:00.000Z,,,,',
      'InternetGatewayDevice.Time.Enable,false,2023-01-01T00:00:00.000Z,true,2023-01-01T00:00:00.000Z,true,xsd:boolean,2023-01-01T00:00:00.000Z,,,,',
    ].join('\n'),
  );
  t.is(model.root, 'InternetGatewayDevice.');
  t.is(model.object('InternetGatewayDevice.LANDevice.1.'), true);
  t.is(model.object('InternetGatewayDevice.LANDevice.'), false);
  t.is(model.parameter('InternetGatewayDevice.DeviceInfo.SoftwareVersion')?.value, 'V5.2');
  t.deepEqual(model.parameter('InternetGatewayDevice.Time.Enable'), {
    value: 'true',
    type: 'boolean',
    writable: true,
  });
});

test('a wrong model is refused, naming the parameter', (t) => {
  const cases: [unknown, RegExp][] = [
    [[], /object of path/],
    [{}, /at least one parameter/],
    [{ 'Other.A': 'x' }, /"Other\.A": all paths must begin with Device\./],
    [{ 'Device.A': 'x', 'InternetGatewayDevice.B': 'y' }, /"InternetGatewayDevice\.B"/],
    [{ 'Device.A..B': 'x' }, /no parameter path/],
    [{ 'Device.A': null }, /Device\.A: value must be/],
    [{ 'Device.A': { value: 'x', type: 'float' } }, /Device\.A: its type must be one of/],
    [{ 'Device.A': { value: 'x', type: 'int' } }, /"Device\.A": its value is no int/],
    [{ 'Device.A': { value: 'x', writable: 'yes' } }, /Device\.A: writable/],
    [{ 'Device.A': 'x', 'Device.A.B': 'y' }, /object and a parameter/],
  ];
  for (const [json, message] of cases)
    t.throws(() => dataModelFromJson(json), { instanceOf: DataModelError, message }, JSON.stringify(json));
  t.throws(() => dataModelFromCsv('a,b\n1,2\n'), { instanceOf: DataModelError, message: /first line/ });
  t.throws(() => dataModelFromCsv('parameter,value\n"Device.A,1'), { instanceOf: DataModelError });
});

test('models load by name or from a file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'ferry-sim-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'a.json'), '\ufeff{"Device.X": 1}');
  await writeFile(join(folder, 'a.csv'), '\ufeffParameter,Value\nDevice.X,1\n');
  await writeFile(join(folder, 'bad.json'), '{');
  t.is((await loadDataModel(join(folder, 'a.json'))).parameter('Device.X')?.type, 'unsignedInt');
  t.is((await loadDataModel(join(folder, 'a.csv'))).parameter('Device.X')?.type, 'string');
  t.is((await loadDataModel('tr098')).root, 'InternetGatewayDevice.');
  await t.throwsAsync(loadDataModel(join(folder, 'bad.json')), { instanceOf: DataModelError });
  await t.throwsAsync(loadDataModel(join(folder, 'none.json')), {
    instanceOf: DataModelError,
    message: /ENOENT/,
  });
  await t.throwsAsync(loadDataModel('tr069'), {
    instanceOf: DataModelError,
    message: /must be tr181, tr098/,
  });
});
