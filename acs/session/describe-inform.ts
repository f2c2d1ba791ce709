import { contextOf } from '../device/context.js';
import { cpeidOf } from '../device/cpeid.js';
import { CpeDescriptionError } from '../device/described-cpe.js';
import type { DescribedCpe, Devices, Moment } from '../device/device.js';
import { treeOf } from '../device/parameter-store.js';
import { unreadPaths } from '../device/unread.js';
import { decodeEnvelope, SoapError } from '../soap/index.js';
import { informed } from './inform.js';

/** Where an Inform comes from that no CPE has sent us. */
const NO_ADDRESS = '0.0.0.0';

/**
 * The CPE of a captured Inform, as a session finds it that begins with just that. Nothing is recorded.
 * @param body  the whole SOAP envelope
 * @throws CpeDescriptionError where it is no Inform that a session could begin with
 */
export async function describeInform(
  body: Buffer,
  devices: Pick<Devices, 'get' | 'parameters'>,
  { nowMs, requested }: Moment,
): Promise<DescribedCpe> {
  const { message, style } = decoded(body);
  if (message.type !== 'Inform') throw unusable(`it is ${message.type}, not Inform`);
  const cpeid = cpeidOf(message.deviceId);
  if (cpeid === null) throw unusable('its DeviceId is too long for an identity');
  const known = await devices.get(cpeid);
  const ip = known?.ip ?? NO_ADDRESS;
  const outcome = informed(known, cpeid, message, { ip, style, nowMs });
  const { device } = outcome;
  const reported = Object.fromEntries(message.parameters.map(({ name, value }) => [name, value]));
  const flat = async () => ({ ...(outcome.bootstrap ? {} : await devices.parameters(cpeid)), ...reported });
  return {
    input: {
      context: contextOf(device, { events: device.lastEvents, ip, nowMs }),
      readParameters: async () => treeOf(await flat()),
      unread: (paths) => unreadPaths(device, { flat }, paths),
      counts: device.counts,
      requested: requested ?? outcome.requested,
    },
    inFlight: device.inFlight ?? null,
  };
}

function decoded(body: Buffer) {
  try {
    return decodeEnvelope(body, undefined);
  } catch (error) {
    if (error instanceof SoapError) throw unusable(error.message);
    throw error;
  }
}

function unusable(reason: string): CpeDescriptionError {
  const expected = `the SOAP envelope of an Inform; ${reason}`;
  return new CpeDescriptionError([{ field: '', code: 'bad-inform', expected }]);
}
