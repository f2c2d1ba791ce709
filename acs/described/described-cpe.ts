import { epochMsOf, type OrganizationId } from '../../common/index.js';
import { DEFAULT_SLUG, type Organization, OrganizationsNow } from '../../organizations/index.js';
import {
  type CpeFields,
  type DecisionInput,
  type LocatedProblem,
  modelOf,
  type ParameterTree,
  parseCpe,
} from '../../rules/index.js';
import { contextOf, ruledBy } from '../device/context.js';
import { type CpeIdentity, cpeidOf } from '../device/cpeid.js';
import type { DescribedCpe, Device, Devices, Moment } from '../device/device.js';
import { treeOf } from '../device/parameter-store.js';
import { unknownPaths } from '../device/unread.js';
import { informed } from '../session/inform.js';
import { type DeviceIdStruct, decodeEnvelope, type Inform, SoapError } from '../soap/index.js';
import { flatParameters } from './described-parameters.js';

/** A CPE that is told of rather than known. */
export interface CpeDescription {
  /** By `CPE_SCHEMA`, as it came from outside; goes before what the Inform says. */
  readonly cpe?: unknown;
  /** A captured Inform, envelope and all. */
  readonly inform?: Buffer;
}

/** To whom a CPE that is told of can belong. */
export interface Belonging {
  readonly organizations: OrganizationsNow;
  /** Whose it is in any case; null: whose the description says, else the default's. */
  readonly organization: Organization | null;
}

/** A description that cannot be used: each problem with its field, which is below `cpe` or is `inform`. */
export class CpeDescriptionError extends Error {
  override readonly name = 'CpeDescriptionError';
  constructor(readonly problems: readonly LocatedProblem[]) {
    super(problems.map(({ field, expected }) => `${field}: ${expected}`).join('; '));
  }
}

const DEFAULT_IDENTITY = { oui: '00A1B2', productClass: 'HGW', serialNumber: '1', manufacturer: '' };
/** RFC 5737: of no one's network. */
const DEFAULT_IP = '192.0.2.1';
const DEFAULT_EVENTS = ['2 PERIODIC'];
const NO_ORGANIZATIONS = new OrganizationsNow(0, []);
const FIELD_CHARACTERS_MAX = 256;
const FOUND_CHARACTERS_MAX = 80;

type Identity = Pick<DeviceIdStruct, 'oui' | 'productClass' | 'serialNumber'>;

/**
 * A CPE as a session with it would find it. Nothing is recorded.
 * @param belonging  without, no rules concern it but the installation's
 * @param known  an Inform is then of a CPE that may be known: what it has behind it counts, and what it was not asked for is unread.
 *   Without, and without an Inform, the CPE has nothing behind it, and what the description does not have is missing
 * @throws CpeDescriptionError
 */
export async function describedCpe(
  description: CpeDescription,
  moment: Moment,
  {
    known,
    belonging,
    cpeIdentity = 'oui',
  }: {
    /** By what the installation tells CPEs apart. */
    readonly cpeIdentity?: CpeIdentity;
    readonly known?: Pick<Devices, 'get' | 'parameters' | 'organizations'>;
    readonly belonging?: Belonging;
  } = {},
): Promise<DescribedCpe> {
  const { cpe = {}, inform } = description;
  const parsed = parseCpe(cpe);
  if (!parsed.parsed) throw new CpeDescriptionError(parsed.problems.map(inCpe));
  const { fields } = parsed;
  const described = await asDescribed(fields, inform, moment, { known, cpeIdentity });
  return belonging === undefined ? described : belongingTo(belonging, described, fields.organization);
}

function belongingTo(
  { organization, organizations }: Belonging,
  { input, ...described }: DescribedCpe,
  said: string | undefined,
): DescribedCpe {
  const named = said === undefined ? null : organizations.find(said);
  if (organization !== null && said !== undefined && named !== organization) {
    const expected = `${organization.slug}, or left out: it is one of the organization that is asked about`;
    throw problem(['cpe', 'organization'], expected, said);
  }
  const its = organization ?? (said === undefined ? organizations.of(inputPlacement(input)) : named);
  if (its === null) return { ...described, input };
  const context = { ...input.context, organization: its.slug };
  return { ...described, input: { ...input, context, organization: its.id } };
}

/** Where a CPE that is known belongs already. */
function inputPlacement({ organization }: DecisionInput) {
  return organization === undefined ? undefined : { id: organization as OrganizationId };
}

async function asDescribed(
  fields: CpeFields,
  inform: Buffer | undefined,
  moment: Moment,
  among: Among,
): Promise<DescribedCpe> {
  const parameters = flatParameters(fields.parameters ?? {}, (path, expected) =>
    problem(['cpe', 'parameters', ...path], expected),
  );
  if (inform !== undefined) return informing(inform, { fields, parameters }, moment, among);
  const { nowMs, requested = false } = moment;
  const { cpeid, identity } = identified(fields, DEFAULT_IDENTITY, among.cpeIdentity);
  return {
    input: {
      context: {
        manufacturer: DEFAULT_IDENTITY.manufacturer,
        organization: DEFAULT_SLUG,
        events: DEFAULT_EVENTS,
        tags: [],
        ip: DEFAULT_IP,
        identity: { proven: false },
        lastInform: nowMs,
        registered: nowMs,
        ...seen(fields),
        ...identity,
        cpeid,
        model: modelOf({ ...fields, ...identity }),
        now: nowMs,
      },
      isDescribed: true,
      ...knowing(treeOf(parameters)),
      counts: {},
      requested,
    },
    inFlight: null,
  };
}

/** The CPEs that there are, as far as somebody knows them, and by what they are told apart. */
interface Among {
  readonly known: Pick<Devices, 'get' | 'parameters' | 'organizations'> | undefined;
  readonly cpeIdentity: CpeIdentity;
}

/** What goes before an Inform. */
interface Overlay {
  readonly fields: CpeFields;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

async function informing(
  body: Buffer,
  { fields, parameters }: Overlay,
  { nowMs, requested }: Moment,
  { known, cpeIdentity }: Among,
): Promise<DescribedCpe> {
  const { message, style } = informIn(body);
  const { cpeid, identity } = identified(fields, message.deviceId, cpeIdentity);
  const stored = (await known?.get(cpeid)) ?? null;
  const ip = fields.ip ?? stored?.ip ?? DEFAULT_IP;
  const deviceId = { ...message.deviceId, ...identity };
  const { device, bootstrap, ...outcome } = informed(
    stored,
    cpeid,
    { ...message, deviceId },
    { ip, style, nowMs, isProven: stored?.identityProven === true },
  );
  const organizations = (await known?.organizations()) ?? NO_ORGANIZATIONS;
  const told = {
    ...contextOf(device, { events: device.lastEvents, ip, nowMs, organizations }),
    ...seen(fields),
  };
  const context = { ...told, model: modelOf(told) };
  const reported = Object.fromEntries(message.parameters.map(({ name, value }) => [name, value]));
  const flat = async () => ({
    ...(known === undefined || bootstrap ? {} : await known.parameters(cpeid)),
    ...reported,
    ...parameters,
  });
  return {
    input: {
      context,
      ...ruledBy(device, organizations),
      // What the description says of it is known, whether or not the CPE has informed of it.
      ...(known === undefined
        ? knowing(treeOf(await flat()))
        : asking({ ...device, ...fieldsIn(context) }, flat, nowMs)),
      counts: device.counts,
      requested: requested ?? outcome.requested,
    },
    inFlight: device.inFlight ?? null,
  };
}

type Reading = Pick<DecisionInput, 'readParameters' | 'unread'>;

/** All that there is to be known of the CPE is known. */
function knowing(parameters: ParameterTree): Reading {
  return { readParameters: async () => parameters, unread: async () => [] };
}

function asking(
  device: Device,
  flat: () => Promise<Record<string, string | number | boolean>>,
  nowMs: number,
): Reading {
  return {
    readParameters: async () => treeOf(await flat()),
    unread: (paths) => unknownPaths(device, { flat }, paths, nowMs),
  };
}

function fieldsIn({ modelName, softwareVersion, hardwareVersion }: DecisionInput['context']) {
  return {
    ...(modelName !== undefined && { modelName }),
    ...(softwareVersion !== undefined && { softwareVersion }),
    ...(hardwareVersion !== undefined && { hardwareVersion }),
  };
}

/** The fields that a condition sees as they are described; what identifies the CPE is apart. */
function seen({ cpeid: _, parameters: _parameters, lastInform, registered, ...fields }: CpeFields) {
  return {
    ...fields,
    ...timeSeen('lastInform', lastInform),
    ...timeSeen('registered', registered),
  };
}

function timeSeen(name: 'lastInform' | 'registered', time: string | undefined) {
  const epochMs = time === undefined ? null : epochMsOf(time);
  return epochMs === null ? {} : { [name]: epochMs };
}

function identified(
  { cpeid, oui, productClass, serialNumber }: CpeFields,
  reported: Identity,
  by: CpeIdentity,
) {
  const named: Identity = cpeid === undefined ? reported : identityOf(cpeid, reported, by);
  const identity: Identity = {
    oui: oui ?? named.oui,
    productClass: productClass ?? named.productClass,
    serialNumber: serialNumber ?? named.serialNumber,
  };
  for (const name of ['oui', 'serialNumber'] as const) {
    if (identity[name] === '') throw problem(['cpe', name], 'not empty: every CPE has one', '');
  }
  const id = cpeidOf(identity, by);
  if (id === null)
    throw problem(['cpe'], 'an identity (oui, productClass, serialNumber) of at most 400 characters');
  if (cpeid !== undefined && cpeid !== id) {
    throw problem(['cpe', 'cpeid'], `${id}, which is what the fields that identify the CPE make`, cpeid);
  }
  return { cpeid: id, identity };
}

/** The parts that a cpeid is made of; those that it has not are as they were reported. */
function identityOf(cpeid: string, reported: Identity, by: CpeIdentity): Identity {
  if (by === 'serial') return { ...reported, serialNumber: unescapedPart(cpeid, cpeid) };
  const parts = cpeid.split('-').map((part) => unescapedPart(part, cpeid));
  const [oui = '', second = '', third] = parts;
  if (parts.length < 2 || parts.length > 3) {
    throw problem(['cpe', 'cpeid'], 'OUI-ProductClass-SerialNumber or OUI-SerialNumber', cpeid);
  }
  return third === undefined
    ? { oui, productClass: '', serialNumber: second }
    : { oui, productClass: second, serialNumber: third };
}

function unescapedPart(part: string, cpeid: string): string {
  try {
    return decodeURIComponent(part.replaceAll('%', '%25').replaceAll('~', '%'));
  } catch {
    throw problem(['cpe', 'cpeid'], 'two hex digits, of a byte of UTF-8, after each ~', cpeid);
  }
}

function informIn(body: Buffer): {
  readonly message: Inform;
  readonly style: ReturnType<typeof decodeEnvelope>['style'];
} {
  const { message, style } = decoded(body);
  if (message.type !== 'Inform') throw unusable(`it is ${message.type}, not Inform`);
  return { message, style };
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
  return problem(['inform'], `the SOAP envelope of an Inform; ${reason}`);
}

function problem(path: readonly string[], expected: string, found?: string): CpeDescriptionError {
  const told = found === undefined ? {} : { found: JSON.stringify(found).slice(0, FOUND_CHARACTERS_MAX) };
  const field = path.join('.').slice(0, FIELD_CHARACTERS_MAX);
  return new CpeDescriptionError([{ path, field, code: 'bad-description', expected, ...told }]);
}

function inCpe({ path, ...found }: LocatedProblem): LocatedProblem {
  const field = found.field === '' ? 'cpe' : `cpe.${found.field}`;
  return { ...found, path: ['cpe', ...path], field };
}
