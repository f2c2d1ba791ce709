import test from 'ava';
import { CWMP_VERSIONS, SAMPLE_STYLES } from '../../cpe-sim/index.js';
import {
  bench,
  element,
  eventsOf,
  getParameterValues,
  parameter,
  setParameterValues,
  until,
} from './scripted-acs.js';

test('first contact: Inform with 0 BOOTSTRAP and 1 BOOT, empty POST, answers, end, all on one connection', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  b.acs.requests.push(getParameterValues('Device.DeviceInfo.SoftwareVersion'), '<cwmp:GetRPCMethods/>');
  await b.firstContact();
  t.deepEqual(b.acs.names, ['Inform', '', 'GetParameterValuesResponse', 'GetRPCMethodsResponse']);
  const [inform, , values] = b.acs.received;
  t.deepEqual(eventsOf(inform), ['0 BOOTSTRAP', '1 BOOT']);
  t.is(element(inform?.body, 'Manufacturer'), 'Müller &amp; Söhne');
  t.is(element(inform?.body, 'MaxEnvelopes'), '1');
  t.is(element(inform?.body, 'RetryCount'), '0');
  t.is(parameter(inform?.body ?? '', 'Device.DeviceInfo.SoftwareVersion'), '1.0.0');
  t.is(parameter(inform?.body ?? '', 'Device.DeviceInfo.HardwareVersion'), '1.0');
  t.is(parameter(inform?.body ?? '', 'Device.DeviceInfo.ProvisioningCode'), '');
  t.is(parameter(inform?.body ?? '', 'Device.ManagementServer.ParameterKey'), '');
  t.is(parameter(inform?.body ?? '', 'Device.IP.Interface.1.IPv4Address.1.IPAddress'), '192.0.2.1');
  t.regex(
    parameter(inform?.body ?? '', 'Device.ManagementServer.ConnectionRequestURL') ?? '',
    /^http:\/\/127\.0\.0\.1:\d+\/cr\/[\w-]{22}$/,
  );
  t.is(parameter(values?.body ?? '', 'Device.DeviceInfo.SoftwareVersion'), '1.0.0');
  t.true(values?.body.includes('>acs-100</cwmp:ID>'), 'the response bears the request ID');
  t.deepEqual(
    b.acs.received.map(({ connection }) => connection),
    [1, 1, 1, 1],
  );
  t.is(inform?.headers.cookie, undefined);
  t.is(values?.headers.cookie, 'session=abc; node=n1');
});

test('a TR-098 device informs with its own root and WAN address', async (t) => {
  const b = await bench({ model: 'tr098', cwmpVersion: '1.0' });
  t.teardown(() => b.stop());
  await b.firstContact();
  const body = b.acs.received[0]?.body ?? '';
  t.true(body.includes('urn:dslforum-org:cwmp-1-0'));
  t.is(parameter(body, 'InternetGatewayDevice.DeviceInfo.SpecVersion'), '1.0');
  t.is(
    parameter(
      body,
      'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress',
    ),
    '192.0.2.1',
  );
});

for (const [index, style] of SAMPLE_STYLES.entries()) {
  test(`style ${index} of envelopes and HTTP carries a session, with either writing of the ACS`, async (t) => {
    const b = await bench({ style });
    t.teardown(() => b.stop());
    b.acs.writing = index % 2;
    b.acs.requests.push(getParameterValues('Device.DeviceInfo.'));
    await b.firstContact();
    t.deepEqual(b.acs.names, ['Inform', '', 'GetParameterValuesResponse']);
    const [inform, , values] = b.acs.received;
    t.is(inform?.body.startsWith('<?xml'), style.xmlDeclaration);
    t.true(inform?.body.includes(`<${style.prefixes.soap}:Envelope`));
    t.is(element(values?.body.replaceAll('\r\n', ''), 'Name'), 'Device.DeviceInfo.AdditionalSoftwareVersion');
    t.is(values?.headers.cookie !== undefined, style.cookies);
    t.is(inform?.headers['transfer-encoding'] === 'chunked', style.chunked);
    t.true(inform?.body.includes('Müller'), 'its charset is the one it says');
  });
}

test('1.3 and 1.4 speak in the namespace of 1.2', async (t) => {
  for (const cwmpVersion of CWMP_VERSIONS) {
    const b = await bench({ cwmpVersion });
    await b.firstContact();
    const minor = Math.min(2, Number(cwmpVersion.slice(2)));
    t.true(b.acs.received[0]?.body.includes(`"urn:dslforum-org:cwmp-1-${minor}"`));
    await b.stop();
  }
});

test('GetRPCMethods is asked before the empty POST where the CPE wants to know', async (t) => {
  const b = await bench({ asksRpcMethods: true });
  t.teardown(() => b.stop());
  await b.firstContact();
  t.deepEqual(b.acs.names, ['Inform', 'GetRPCMethods', '']);
});

test('HoldRequests keeps the requests of the CPE back until the ACS has no more', async (t) => {
  const b = await bench({ asksRpcMethods: true });
  t.teardown(() => b.stop());
  b.acs.holdRequests = true;
  b.acs.requests.push(getParameterValues('Device.DeviceInfo.SoftwareVersion'));
  await b.firstContact();
  t.deepEqual(b.acs.names, ['Inform', '', 'GetParameterValuesResponse', 'GetRPCMethods', '']);
});

test('an RPC that the CPE does not know gets fault 9000, wrong arguments 9003', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  b.acs.requests.push(
    '<cwmp:FactoryReset/>',
    '<cwmp:GetParameterValues/>',
    getParameterValues('Device.Nope'),
  );
  await b.firstContact();
  const faults = b.acs.received.filter(({ name }) => name === 'Fault');
  t.deepEqual(
    faults.map(({ body }) => element(body, 'FaultCode')),
    ['9000', '9003', '9005'],
  );
});

test('a failed session is tried again with its events, RetryCount and growing waits', async (t) => {
  const b = await bench({ retryMs: 8 });
  t.teardown(() => b.stop());
  const waits: (number | null)[] = [];
  b.cpe.events.on('session', (event) => waits.push(event.outcome === 'failed' ? event.retryMs : null));
  b.acs.intercept = (_, response) => {
    if (b.acs.informs().length > 3) return false;
    response.writeHead(503).end();
    return true;
  };
  b.cpe.start();
  await until(() => waits.at(-1) === null && waits.length > 0, 'a session that ends well');
  t.deepEqual(
    b.acs.informs().map(({ body }) => element(body, 'RetryCount')),
    ['0', '1', '2', '3'],
  );
  for (const inform of b.acs.informs()) t.deepEqual(eventsOf(inform), ['0 BOOTSTRAP', '1 BOOT']);
  for (const [index, wait] of waits.slice(0, 3).entries())
    t.true(wait !== null && wait >= 8 * 2 ** index && wait <= 16 * 2 ** index, `wait ${index}: ${wait}`);
});

test('a session that fails after its InformResponse is tried again without the events that arrived', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  b.acs.intercept = (received, response) => {
    if (received.name !== '' || b.acs.informs().length > 1) return false;
    response.socket?.destroy();
    return true;
  };
  b.cpe.start();
  await until(() => b.acs.informs().length === 2, 'a second Inform');
  t.deepEqual(eventsOf(b.acs.informs()[1]), []);
  t.is(element(b.acs.informs()[1]?.body, 'RetryCount'), '1');
});

test('while a retry waits nothing else starts a session but a connection request, which tells all', async (t) => {
  const b = await bench({ retryMs: 600_000 });
  t.teardown(() => b.stop());
  b.acs.intercept = (_, response) => {
    response.writeHead(503).end();
    return true;
  };
  await b.firstContact();
  b.acs.intercept = () => false;
  b.cpe.change('Device.WiFi.SSID.1.SSID', 'x');
  t.false(b.cpe.inSession);
  const over = b.next('session');
  t.is(b.cpe.connectionRequest(), 'accepted');
  await over;
  t.deepEqual(eventsOf(b.acs.informs()[1]), [
    '0 BOOTSTRAP',
    '1 BOOT',
    '4 VALUE CHANGE',
    '6 CONNECTION REQUEST',
  ]);
});

test('fault 8005 makes the CPE repeat its Inform in the same session', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  const fault =
    '<s:Fault xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><faultcode>s:Server</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault><FaultCode>8005</FaultCode><FaultString>Retry</FaultString></cwmp:Fault></detail></s:Fault>';
  b.acs.intercept = (_, response) => {
    if (b.acs.received.length > 1) return false;
    b.acs.send(response, fault, null, 500);
    return true;
  };
  await b.firstContact();
  t.deepEqual(b.acs.names, ['Inform', 'Inform', '']);
});

for (const [what, body] of [
  ['no XML', 'hello <'],
  ['no envelope', '<a/>'],
  ['a DOCTYPE with entities', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
  ['an element 100,000 deep', '<a>'.repeat(100_000)],
  ['more than 4 MiB', `<a>${' '.repeat(4 * 1_024 * 1_024)}</a>`],
  ['bytes that are no UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe])],
  ['another namespace', '<e:Envelope xmlns:e="urn:x"><e:Body/></e:Envelope>'],
] as const) {
  test(`${what} from the ACS fails the session, and the CPE lives on`, async (t) => {
    const b = await bench();
    t.teardown(() => b.stop());
    b.acs.intercept = (_, response) => {
      if (b.acs.informs().length > 1) return false;
      response.writeHead(200, { 'Content-Type': 'text/xml' }).end(body);
      return true;
    };
    const failed = b.next('session');
    const ended = b.next('session', 2);
    b.cpe.start();
    t.is((await failed).outcome, 'failed');
    t.is((await ended).outcome, 'ended');
  });
}

for (const [scheme, challenge] of [
  ['Basic', 'Basic realm="acs"'],
  ['Digest', 'Digest realm="acs", qop="auth", nonce="abc", opaque="xyz"'],
] as const) {
  test(`a ${scheme} challenge is answered, and the whole session is authenticated`, async (t) => {
    const b = await bench({ acsCredentials: { username: 'cpe', password: 'p"w' } });
    t.teardown(() => b.stop());
    b.acs.intercept = ({ headers }, response) => {
      if (headers.authorization !== undefined) return false;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
      return true;
    };
    await b.firstContact();
    t.deepEqual(b.acs.names, ['Inform', 'Inform', '']);
    const header = b.acs.received[2]?.headers.authorization ?? '';
    if (scheme === 'Basic') t.is(header, `Basic ${Buffer.from('cpe:p"w').toString('base64')}`);
    else {
      t.regex(
        header,
        /^Digest username="cpe", realm="acs", nonce="abc", uri="\/acs", response="[0-9a-f]{32}"/,
      );
      t.regex(header, /opaque="xyz", qop=auth, nc=00000002, cnonce="/);
    }
  });
}

for (const [authScheme, taken] of [
  [undefined, 'Basic'],
  ['basic', 'Basic'],
  ['digest', 'Digest'],
] as const) {
  test(`of both, ${taken} is taken where the option is ${authScheme}`, async (t) => {
    const acsCredentials = { username: 'cpe', password: 'p' };
    const b = await bench({ acsCredentials, ...(authScheme !== undefined && { authScheme }) });
    t.teardown(() => b.stop());
    b.acs.intercept = ({ headers }, response) => {
      if (headers.authorization !== undefined) return false;
      const both = ['Digest realm="acs", nonce="n", qop="auth"', 'Basic realm="acs"'];
      response.writeHead(401, { 'WWW-Authenticate': both }).end();
      return true;
    };
    await b.firstContact();
    t.is(b.acs.received[2]?.headers.authorization?.split(' ')[0], taken);
  });
}

test('credentials that are refused fail the session', async (t) => {
  const b = await bench({ acsCredentials: { username: 'cpe', password: 'wrong' } });
  t.teardown(() => b.stop());
  b.acs.intercept = (_, response) => {
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="acs"' }).end();
    return true;
  };
  const over = b.next('session');
  b.cpe.start();
  t.like(await over, { outcome: 'failed', reason: 'the ACS answered with HTTP 401' });
});

test('a redirect is followed for the rest of the session', async (t) => {
  const b = await bench();
  const other = await bench();
  t.teardown(() => Promise.all([b.stop(), other.stop()]));
  b.acs.intercept = (_, response) => {
    response.writeHead(307, { Location: other.acs.url }).end();
    return true;
  };
  await b.firstContact();
  t.deepEqual(b.acs.names, ['Inform']);
  t.deepEqual(other.acs.names, ['Inform', '']);
});

test('the ACS sets periodic Informs, and they come; switched off, they stop', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  b.acs.requests.push(
    setParameterValues([
      ['Device.ManagementServer.PeriodicInformEnable', 'boolean', '1'],
      ['Device.ManagementServer.PeriodicInformInterval', 'unsignedInt', '1'],
    ]),
  );
  await b.firstContact();
  const second = b.next('session');
  b.acs.requests.push(
    setParameterValues([['Device.ManagementServer.PeriodicInformEnable', 'boolean', 'false']]),
  );
  await second;
  t.deepEqual(eventsOf(b.acs.informs()[1]), ['2 PERIODIC']);
  t.is(b.acs.informs().length, 2);
});

test('periodicIntervalMs informs whatever the ACS set', async (t) => {
  const b = await bench({ periodicIntervalMs: 15 });
  t.teardown(() => b.stop());
  b.cpe.start();
  await until(() => b.acs.informs().length >= 4, 'three periodic Informs');
  for (const inform of b.acs.informs().slice(1)) t.deepEqual(eventsOf(inform), ['2 PERIODIC']);
});

test('Reboot is answered first, then comes 1 BOOT with M Reboot and its CommandKey', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  b.acs.requests.push('<cwmp:Reboot><CommandKey>why</CommandKey></cwmp:Reboot>');
  const rebooted = b.next('session', 2);
  b.cpe.start();
  await rebooted;
  t.deepEqual(b.acs.names, ['Inform', '', 'RebootResponse', 'Inform', '']);
  t.deepEqual(eventsOf(b.acs.informs()[1]).toSorted(), ['1 BOOT', 'M Reboot']);
  t.true(b.acs.informs()[1]?.body.includes('<CommandKey>why</CommandKey>'));
});

test('a value that changes on the device is told with 4 VALUE CHANGE', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  await b.firstContact();
  const told = b.next('session');
  b.cpe.change('Device.WiFi.SSID.1.SSID', 'home <1>');
  await told;
  t.deepEqual(eventsOf(b.acs.informs()[1]), ['4 VALUE CHANGE']);
  t.is(parameter(b.acs.informs()[1]?.body ?? '', 'Device.WiFi.SSID.1.SSID'), 'home &lt;1&gt;');
});

test('another URL of the ACS means another first contact, there', async (t) => {
  const b = await bench();
  const other = await bench();
  t.teardown(() => Promise.all([b.stop(), other.stop()]));
  b.acs.requests.push(setParameterValues([['Device.ManagementServer.URL', 'string', other.acs.url]]));
  const there = b.next('session', 2);
  b.cpe.start();
  await there;
  t.deepEqual(eventsOf(other.acs.informs()[0]), ['0 BOOTSTRAP']);
});

test('an ACS that never has enough is left after 1,000 messages', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  b.acs.intercept = (received, response) => {
    if (received.name === 'Inform') return false;
    b.acs.send(response, '<cwmp:GetRPCMethods/>', '1');
    return true;
  };
  const over = b.next('session');
  b.cpe.start();
  t.like(await over, { outcome: 'failed', reason: 'more than 1000 messages' });
});

test('switched off in the middle of a session, the CPE is off', async (t) => {
  const b = await bench();
  t.teardown(() => b.stop());
  const asked = new Promise<void>((resolve) => {
    b.acs.intercept = () => {
      resolve();
      return true;
    };
  });
  b.cpe.start();
  await asked;
  await b.cpe.stop();
  t.is(b.cpe.phase, 'off');
  t.false(b.cpe.inSession);
});
