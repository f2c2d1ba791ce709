import type { CpeId } from '../common/index.js';
import type { Context, DescribedFields, ParameterTree } from '../rules/index.js';
import { cpeidOf } from './device/cpeid.js';
import { treeOf } from './device/parameter-store.js';
import { informed } from './session/inform.js';
import { decodeEnvelope, SoapError } from './soap/index.js';

/** A CPE that is told of rather than known: what a test or an explanation of rules is about. */
export interface CpeDescription {
  /** A captured Inform, envelope and all. */
  readonly inform?: Buffer;
  /** Goes before what the Inform says. */
  readonly cpe?: DescribedFields;
  /** By full name, or as a tree; goes before what the Inform says. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
}

/** A description that cannot be right, with the field to mend. */
export class DescriptionError extends Error {
  override readonly name = 'DescriptionError';
  constructor(
    readonly field: 'inform' | 'cpe' | 'parameters',
    message: string,
  ) {
    super(message);
  }
}

const DEFAULT_IDENTITY = { oui: '00A1B2', productClass: 'HGW', serialNumber: '1', manufacturer: '' };
/** RFC 5737: of no one's network. */
const DEFAULT_IP = '192.0.2.1';
const DEFAULT_EVENTS = ['2 PERIODIC'];
/** Deepest parameter there may be; the data models of TR-181 have a dozen levels. */
const PARAMETER_STEPS_MAX = 32;
const PARAMETERS_MAX = 20_000;

/**
 * The context of a described CPE, as a session with it would have it.
 * @throws DescriptionError
 */
export function describedCpe({ inform, cpe = {}, parameters = {}, nowMs }: CpeDescription): {
  readonly context: Omit<Context, 'parameters'>;
  readonly parameters: ParameterTree;
} {
  const told = inform === undefined ? null : toldBy(inform, cpe.ip ?? DEFAULT_IP, nowMs);
  const { cpeid, lastInform, registered, ...fields } = cpe;
  const named = cpeid === undefined ? {} : identityOf(cpeid);
  const identity = { ...(told?.identity ?? DEFAULT_IDENTITY), ...named };
  const described = { ...identity, ...told?.fields, ...named, ...fields };
  const id = cpeidOf(described);
  if (id === null || described.oui === '' || described.serialNumber === '') {
    throw new DescriptionError('cpe', 'a CPE has an oui and a serialNumber, together at most 400 characters');
  }
  if (cpeid !== undefined && cpeid !== id) {
    throw new DescriptionError('cpe', `what identifies the CPE makes the cpeid ${id}, not ${cpeid}`);
  }
  return {
    context: {
      events: DEFAULT_EVENTS,
      tags: [],
      ip: DEFAULT_IP,
      ...described,
      cpeid: id,
      lastInform: lastInform === undefined ? nowMs : Date.parse(lastInform),
      registered: registered === undefined ? nowMs : Date.parse(registered),
      now: nowMs,
    },
    parameters: treeOf({ ...told?.parameters, ...flat(parameters) }),
  };
}

function toldBy(body: Buffer, ip: string, nowMs: number) {
  const { message, style } = decoded(body);
  if (message.type !== 'Inform') {
    throw new DescriptionError('inform', `an Inform is wanted, and this is ${message.type}`);
  }
  const id = cpeidOf(message.deviceId);
  if (id === null) throw new DescriptionError('inform', 'its DeviceId is too long');
  const { device } = informed(null, id, message, { ip, style, nowMs });
  const { modelName, softwareVersion, hardwareVersion } = device;
  return {
    identity: message.deviceId,
    fields: {
      ...(modelName !== undefined && { modelName }),
      ...(softwareVersion !== undefined && { softwareVersion }),
      ...(hardwareVersion !== undefined && { hardwareVersion }),
      events: device.lastEvents,
    },
    parameters: Object.fromEntries(message.parameters.map(({ name, value }) => [name, value])),
  };
}

function decoded(body: Buffer) {
  try {
    return decodeEnvelope(body, undefined);
  } catch (error) {
    if (!(error instanceof SoapError)) throw error;
    throw new DescriptionError('inform', error.message);
  }
}

/** The parts that a cpeid is made of. */
function identityOf(cpeid: CpeId | string) {
  const parts = cpeid.split('-').map(unescapePart);
  const [oui = '', second = '', third] = parts;
  if (parts.length < 2 || parts.length > 3) {
    throw new DescriptionError('cpe', 'a cpeid is OUI-ProductClass-SerialNumber or OUI-SerialNumber');
  }
  return third === undefined
    ? { oui, productClass: '', serialNumber: second }
    : { oui, productClass: second, serialNumber: third };
}

function unescapePart(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('%', '%25').replaceAll('~', '%'));
  } catch {
    throw new DescriptionError('cpe', 'in a cpeid ~ is followed by two hex digits, of a byte of UTF-8');
  }
}

/** Names and trees may be mixed: `{ 'Device.A': { B: 1 } }` is `Device.A.B`. */
function flat(parameters: Readonly<Record<string, unknown>>): Record<string, string | number | boolean> {
  const leaves: Record<string, string | number | boolean> = Object.create(null);
  let count = 0;
  const open: { readonly steps: readonly string[]; readonly value: unknown }[] = [
    { steps: [], value: parameters },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { steps, value } = next;
    const name = steps.join('.');
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      if (++count > PARAMETERS_MAX) throw new DescriptionError('parameters', `at most ${PARAMETERS_MAX}`);
      leaves[name] = value;
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) {
        const deeper = [...steps, ...key.split('.')];
        if (deeper.length > PARAMETER_STEPS_MAX || deeper.includes('')) {
          throw new DescriptionError(
            'parameters',
            `${[...steps, key].join('.').slice(0, 80)} is no parameter: at most ${PARAMETER_STEPS_MAX} names with dots between them`,
          );
        }
        open.push({ steps: deeper, value: inner });
      }
    } else {
      throw new DescriptionError('parameters', `${name} must be a text, a number, true or false`);
    }
  }
  return leaves;
}
