import test from 'ava';
import fc from 'fast-check';
import { isSecretParameter, keptOfSecret } from '../../../rules/index.js';

/** As the data models have them, and vendors beside them. */
const SECRETS = [
  'InternetGatewayDevice.ManagementServer.Password',
  'InternetGatewayDevice.ManagementServer.ConnectionRequestPassword',
  'InternetGatewayDevice.ManagementServer.STUNPassword',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.WEPKey.1.WEPKey',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.PreSharedKey.1.PreSharedKey',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.PreSharedKey.1.KeyPassphrase',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.KeyPassphrase',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.WPS.DevicePassword',
  'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.Password',
  'InternetGatewayDevice.Services.VoiceService.1.VoiceProfile.1.Line.1.SIP.AuthPassword',
  'InternetGatewayDevice.UserInterface.X_ACME_AdminPasswd',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.X_ACME-COM_WPA_PSK',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.X_ACME_wpapsk',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.X_ACME_WEPKey2',
  'InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.X_ACME_Keys.PresharedKey.3',
  'InternetGatewayDevice.X_ACME.PPPPassword_1',
  'Device.WiFi.AccessPoint.1.Security.PreSharedKey',
  'Device.WiFi.AccessPoint.1.Security.SAEPassphrase',
  'Device.WiFi.AccessPoint.1.Security.RadiusSecret',
  'Device.WiFi.AccessPoint.1.Security.WEPKey',
  'Device.WiFi.AccessPoint.1.WPS.PIN',
  'Device.Cellular.Interface.1.USIM.PIN',
  'Device.Cellular.Interface.1.X_ACME_SimPin',
  'Device.Cellular.Interface.1.X_ACME_PUK2',
  'Device.WireGuard.Interface.1.PrivateKey',
  'Device.X_ACME.PRIVATE_KEY',
  'Device.X_ACME.apiToken',
  'Device.X_ACME.SecretKey',
  'Device.X_ACME.AccessKey',
  'Device.X_ACME.SharedKey',
  'Device.X_ACME.AdminPwd',
  'Device.X_ACME.FtpPass',
  'Device.X_ACME.pass',
  'Device.MQTT.Client.1.Password',
  'Device.Users.User.1.PASSWORD',
  `Device.X_ACME.${'Long'.repeat(40)}Password`,
] as const;

const OTHERS = [
  'Device.ManagementServer.ParameterKey',
  'Device.ManagementServer.ConnectionRequestURL',
  'Device.ManagementServer.ConnectionRequestUsername',
  'Device.DeviceInfo.SoftwareVersion',
  'Device.DeviceInfo.ProvisioningCode',
  'Device.DeviceInfo.UpTime',
  'Device.UserInterface.PasswordRequired',
  'Device.UserInterface.PasswordReset',
  'Device.UserInterface.PasswordUserSelectable',
  'Device.X_ACME.UsernameAndPasswordRequired',
  'Device.X_ACME.PasswordProtected',
  'Device.X_ACME.KeyPassphraseLength',
  'Device.X_ACME.SecretCount',
  'Device.X_ACME.TokenBucketSize',
  'Device.WireGuard.Interface.1.PublicKey',
  'Device.X_ACME.Spin',
  'Device.X_ACME.SPIN',
  'Device.X_ACME.Bypass',
  'Device.X_ACME.BYPASS',
  'Device.X_ACME.Password.Enable',
  'Device.WiFi.AccessPoint.1.Security.PreSharedKey.',
  'Device.X_ACME.PreSharedKey.1.',
  'Device.',
  'Device',
  '1',
  '...',
  '',
] as const;

for (const name of SECRETS)
  test(`${name.slice(0, 100)} is a secret`, (t) => void t.true(isSecretParameter(name)));
for (const name of OTHERS)
  test(`${JSON.stringify(name)} is no secret`, (t) => void t.false(isSecretParameter(name)));

const anyStep = fc.stringMatching(/^[A-Za-z_][\w-]{0,20}$/);
const mixedCase = (word: string) =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((ups) => [...word].map((letter, at) => (ups[at] ? letter.toUpperCase() : letter)).join(''));
const LONG_WORDS =
  'password passphrase presharedkey secret wepkey privatekey passwd psk token secretkey accesskey'.split(' ');
const anyEnding = fc.constantFrom(...LONG_WORDS).chain(mixedCase);
const numbering = fc.constantFrom('', '1', '.1', '.12.3', '_2');

test('whatever stands before it, in whatever case, and whatever number it has, a word of secrets at the end makes one', (t) => {
  fc.assert(
    fc.property(
      fc.array(anyStep),
      fc.constantFrom('', 'X_', 'WiFi'),
      anyEnding,
      numbering,
      (steps, before, word, number) => {
        t.true(isSecretParameter(['Device', ...steps, `${before}${word}${number}`].join('.')));
      },
    ),
  );
});

test('a word of secrets makes none where letters follow that make no other', (t) => {
  fc.assert(
    fc.property(
      anyEnding,
      fc.constantFrom('Length', 'Count', 'Enable', 'Url', 'Reset', 'Required'),
      (word, after) => {
        t.false(isSecretParameter(`Device.X.${word}${after}`));
        t.false(isSecretParameter(`Device.${word}.${after}`));
      },
    ),
  );
});

test('of a secret there is left that it is set, that it is empty, or what a switch says', (t) => {
  t.is(keptOfSecret('hunter2'), 'set');
  t.is(keptOfSecret(12345670), 'set');
  t.is(keptOfSecret(0), 'set');
  t.is(keptOfSecret(''), '');
  t.is(keptOfSecret(true), true);
  t.is(keptOfSecret(false), false);
  t.is(keptOfSecret(keptOfSecret('hunter2')), 'set');
});
