import { Parser, processors } from 'xml2js';
import type { AcsEnvelope, AcsRequest, AcsResponse, SetParameter } from './message.js';

const SOAP_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
const CWMP_NAMESPACE = /^urn:dslforum-org:cwmp-1-[0-4]$/;

/** Largest envelope taken from an ACS. */
export const ENVELOPE_BYTES_MAX = 4 * 1_024 * 1_024;
/** Most members of one array in it. */
const MEMBERS_MAX = 20_000;
const UNSIGNED_INT_MAX = 4_294_967_295;

/** What the ACS sent is no CWMP envelope; the session cannot go on. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError';
}

/** Arguments of a known RPC that are not what its schema says; answered with fault 9003. */
class ArgumentError extends Error {}

/** An element as xml2js yields it with `xmlns` and prefixes stripped: children by local name, each an array. */
class Element {
  readonly #node: object;

  constructor(node: object) {
    this.#node = node;
  }

  #own(key: string): unknown {
    return Object.hasOwn(this.#node, key) ? Reflect.get(this.#node, key) : undefined;
  }

  get namespace(): string {
    const resolved = this.#own('$ns');
    const uri = typeof resolved === 'object' && resolved !== null ? Reflect.get(resolved, 'uri') : undefined;
    return typeof uri === 'string' ? uri : '';
  }

  get text(): string {
    const value = this.#own('_');
    return typeof value === 'string' ? value : '';
  }

  /** The local part of its xsi:type. */
  get xsiType(): string | null {
    const found = this.#own('$');
    for (const attribute of typeof found === 'object' && found !== null ? Object.values(found) : []) {
      if (typeof attribute !== 'object' || attribute === null) continue;
      if (Reflect.get(attribute, 'uri') !== 'http://www.w3.org/2001/XMLSchema-instance') continue;
      const value: unknown = Reflect.get(attribute, 'value');
      if (Reflect.get(attribute, 'local') === 'type' && typeof value === 'string')
        return value.slice(value.indexOf(':') + 1);
    }
    return null;
  }

  names(): readonly string[] {
    return Object.keys(this.#node).filter((key) => key !== '$' && key !== '_' && key !== '$ns');
  }

  all(name: string): readonly Element[] {
    const found = this.#own(name);
    if (!Array.isArray(found)) return [];
    return found.filter((node) => typeof node === 'object' && node !== null).map((node) => new Element(node));
  }

  first(name: string): Element | null {
    return this.all(name)[0] ?? null;
  }

  need(name: string): Element {
    const found = this.all(name);
    const [first] = found;
    if (first === undefined || found.length > 1) throw new ArgumentError(`${name} must be there once`);
    return first;
  }

  /** The text of a required child. */
  string(name: string, charactersMax: number): string {
    const value = this.need(name).text;
    if (value.length > charactersMax)
      throw new ArgumentError(`${name} has more than ${charactersMax} characters`);
    return value;
  }

  unsignedInt(name: string): number {
    const value = this.need(name).text.trim();
    const number = /^\+?\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number <= UNSIGNED_INT_MAX)) throw new ArgumentError(`${name} is no unsignedInt`);
    return number;
  }

  members(list: string, member: string): readonly Element[] {
    const found = this.need(list).all(member);
    if (found.length > MEMBERS_MAX) throw new ArgumentError(`${list} has more than ${MEMBERS_MAX} members`);
    return found;
  }
}

function parseXml(xml: string): Element {
  const parser = new Parser({
    xmlns: true,
    explicitArray: true,
    explicitRoot: false,
    strict: true,
    // What prefixes meant is kept in `$ns`.
    tagNameProcessors: [processors.stripPrefix],
  });
  // Without `async` xml2js calls back before parseString returns; after an error it may call back again.
  const outcomes: { readonly error: unknown; readonly root: unknown }[] = [];
  parser.parseString(xml, (error: unknown, root: unknown) => outcomes.push({ error, root }));
  const { error, root } = outcomes[0] ?? {};
  if (error instanceof Error)
    throw new EnvelopeError(`not well-formed XML: ${error.message.split('\n')[0] ?? ''}`);
  if (typeof root !== 'object' || root === null) throw new EnvelopeError('no XML at all');
  return new Element(root);
}

/**
 * Reads one envelope of an ACS, whatever its prefixes.
 * @throws EnvelopeError where it is none. Wrong arguments of a known RPC are no error: they come back as `invalid`.
 * @see TR-069 3.4 and Annex A
 */
export function decodeEnvelope(xml: string): AcsEnvelope {
  const envelope = parseXml(xml);
  const body = envelope.first('Body');
  if (envelope.namespace !== SOAP_NAMESPACE || body === null || body.namespace !== SOAP_NAMESPACE) {
    throw new EnvelopeError('not a SOAP 1.1 envelope with a Body');
  }
  const header = envelope.first('Header');
  const hold = header?.first('HoldRequests')?.text.trim();
  const [name, ...others] = body.names();
  const content = name === undefined ? null : body.first(name);
  if (name === undefined || content === null || others.length > 0 || body.all(name).length > 1) {
    throw new EnvelopeError('the Body must have exactly one child');
  }
  return {
    id: header?.first('ID')?.text ?? null,
    holdRequests: hold === '1' || hold === 'true',
    message: decodeMessage(name, content),
  };
}

function decodeMessage(name: string, content: Element): AcsRequest | AcsResponse {
  if (name === 'Fault' && content.namespace === SOAP_NAMESPACE) return decodeFault(content);
  if (!CWMP_NAMESPACE.test(content.namespace)) throw new EnvelopeError(`${name} is in no namespace of CWMP`);
  try {
    return decodeRpc(name, content);
  } catch (error) {
    if (error instanceof ArgumentError) return { type: 'invalid', name, reason: error.message };
    throw error;
  }
}

function decodeFault(content: Element): AcsResponse {
  const detail = content.first('detail')?.first('Fault') ?? null;
  const code = Number(detail?.first('FaultCode')?.text);
  if (detail === null || !Number.isInteger(code))
    throw new EnvelopeError('a SOAP Fault without a CWMP FaultCode');
  return {
    type: 'Fault',
    fault: { faultCode: code, faultString: detail.first('FaultString')?.text ?? '' },
  };
}

function decodeRpc(name: string, rpc: Element): AcsRequest | AcsResponse {
  switch (name) {
    case 'InformResponse':
      rpc.unsignedInt('MaxEnvelopes');
      return { type: name };
    case 'TransferCompleteResponse':
    case 'GetRPCMethods':
    case 'GetQueuedTransfers':
    case 'GetAllQueuedTransfers':
      return { type: name };
    case 'GetRPCMethodsResponse':
      return { type: name, methods: rpc.members('MethodList', 'string').map((method) => method.text) };
    case 'GetParameterValues':
      return { type: name, names: rpc.members('ParameterNames', 'string').map((path) => path.text) };
    case 'GetParameterNames': {
      const nextLevel = rpc.string('NextLevel', 5).trim();
      return {
        type: name,
        path: rpc.string('ParameterPath', 256),
        nextLevel: nextLevel === '1' || nextLevel === 'true',
      };
    }
    case 'SetParameterValues':
      return {
        type: name,
        parameters: rpc.members('ParameterList', 'ParameterValueStruct').map(setParameter),
        parameterKey: rpc.string('ParameterKey', 32),
      };
    case 'Download':
      return {
        type: name,
        commandKey: rpc.string('CommandKey', 32),
        fileType: rpc.string('FileType', 64),
        url: rpc.string('URL', 256),
        username: rpc.string('Username', 256),
        password: rpc.string('Password', 256),
        fileSizeBytes: rpc.unsignedInt('FileSize'),
        targetFileName: rpc.string('TargetFileName', 256),
        delaySeconds: rpc.unsignedInt('DelaySeconds'),
      };
    case 'Reboot':
    case 'CancelTransfer':
      return { type: name, commandKey: rpc.string('CommandKey', 32) };
    default:
      return { type: 'unknown', name };
  }
}

function setParameter(struct: Element): SetParameter {
  const value = struct.need('Value');
  return { name: struct.string('Name', 256), value: value.text, type: value.xsiType };
}
