import test from 'ava';
import { SAMPLE_STYLES } from '../../cpe-sim/index.js';
import { encodeEnvelope } from '../../cpe-sim/soap/index.js';
import { ScriptedAcs } from './scripted-acs.js';

/** What the ACS says at its end of a CPE that sent this. */
async function verdictOn(envelope: string | Buffer): Promise<string | null> {
  const acs = await ScriptedAcs.start();
  await fetch(acs.url, { method: 'POST', body: new Uint8Array(Buffer.from(envelope)) });
  return acs.stop().then(
    () => null,
    (error: unknown) => String(error),
  );
}

// So that no test of the simulator passes with an envelope that no ACS has to understand.
test('a test whose CPE sends what the official schemas do not allow fails', async (t) => {
  const [style] = SAMPLE_STYLES;
  if (style === undefined) return t.fail();
  const message = { type: 'GetRPCMethodsResponse', methods: ['Reboot'] } as const;
  const valid = encodeEnvelope(message, '1', '1.2', style).toString();
  t.is(await verdictOn(valid), null);
  t.is(await verdictOn(''), null);
  const misspelt = valid.replaceAll('GetRPCMethodsResponse', 'GetRPCMethodResponse');
  t.regex(
    (await verdictOn(misspelt)) ?? '',
    /1 CWMP envelopes break the official schema:.*GetRPCMethodResponse/s,
  );
});
