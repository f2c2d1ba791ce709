import { cutText } from '../../common/index.js';
import { decodeText } from './charset.js';
import { decodeFault, decodeMessage, MessageReader } from './decode-message.js';
import { type Element, type ElementTree, parseTree } from './element-tree.js';
import { ID_CHARACTERS_MAX, NAME_CHARACTERS_MAX, SOAP_LIMITS, type SoapLimits } from './limits.js';
import {
  ACS_FAULT,
  type CpeEnvelope,
  CWMP_NAMESPACES,
  type CwmpNamespace,
  type EnvelopeStyle,
  SoapError,
} from './message.js';
import { plainTree, TagReader } from './plain-tree.js';

/** SOAP 1.1, the only one TR-069 uses (3.4.1). */
const SOAP_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
const CWMP_NAMESPACE_PREFIX = 'urn:dslforum-org:cwmp-';
/** What a CPE of a version unknown to us is answered in: the newest that has fault 8006. */
const FALLBACK_NAMESPACE: CwmpNamespace = 'urn:dslforum-org:cwmp-1-2';

/** Only remembers what it has read; two callers cannot tell that they share it. */
const TAGS = new TagReader();

/**
 * Decodes one CWMP envelope, with whatever prefixes, field order, array counts and white space a CPE uses.
 * Its texts may be slices that keep the whole body in memory: what lives longer than a session should be copied.
 *
 * @param body         the envelope, at most `limits.bodyBytesMax` bytes
 * @param contentType  the HTTP header; its charset wins over the byte order mark and the XML declaration
 * @returns the header's ID, how the CPE writes, and one message; unknown RPCs come back as `{ type: 'unknown', name }`
 * @throws  SoapError: an HTTP 400, 413 or 415 for what is no CWMP envelope, a fault where it is one (8003 a missing or
 *          malformed field, 8004 too many parameters, 8006 a CWMP version that Ferry does not speak)
 * @see     TR-069 Amendment 6, 3.4 and A.3
 */
export function decodeEnvelope(
  body: Buffer,
  contentType: string | undefined,
  limits: SoapLimits = SOAP_LIMITS,
): CpeEnvelope {
  if (body.length > limits.bodyBytesMax) {
    throw new SoapError(`An envelope may have at most ${limits.bodyBytesMax} bytes`, {
      kind: 'http',
      status: 413,
    });
  }
  const text = decodeText(body, contentType);
  const tree =
    plainTree(text, limits, CWMP_NAMESPACE_PREFIX, TAGS) ?? parseTree(text, limits, CWMP_NAMESPACE_PREFIX);

  const envelope = checkedEnvelope(tree.root);
  const id = headerId(part(envelope, 'Header'));
  const soapBody = part(envelope, 'Body');
  if (soapBody === null) throw badRequest('The SOAP envelope has no Body');
  const payload = soapBody.children[0] ?? null;
  const namespace = findNamespace(payload, tree);
  const style: EnvelopeStyle = { namespace: namespace ?? FALLBACK_NAMESPACE };
  const reader = new MessageReader(id, style, payload?.local ?? null, limits);

  if (namespace === null) {
    throw reader.fault(
      ACS_FAULT.versionIncompatible,
      `The CWMP version is not known; use one of ${CWMP_NAMESPACES.join(', ')}`,
    );
  }
  if (payload === null || soapBody.children.length > 1) {
    throw reader.invalid('Body', `must hold one message, found ${soapBody.children.length}`);
  }
  if (isSoap(payload, 'Fault')) return { id, style, message: decodeFault(reader, payload) };
  if (payload.uri !== namespace) return { id, style, message: unknownRpc(payload) };
  return { id, style, message: decodeMessage(reader, payload) ?? unknownRpc(payload) };
}

function checkedEnvelope(root: Element): Element {
  if (isSoap(root, 'Envelope')) return root;
  throw badRequest(
    `The body is not a SOAP 1.1 envelope: its root element must be Envelope in ${SOAP_NAMESPACE}`,
  );
}

/** The one Header or Body. Two would let two readers see two messages. */
function part(envelope: Element, local: 'Header' | 'Body'): Element | null {
  let found: Element | null = null;
  for (const child of envelope.children) {
    if (!isSoap(child, local)) continue;
    if (found !== null) throw badRequest(`The SOAP envelope has more than one ${local}`);
    found = child;
  }
  return found;
}

/** The cwmp:ID as it stands; one without namespace is taken too, as some CPEs do not qualify it. */
function headerId(header: Element | null): string | null {
  const blocks = header?.children.filter((child) => child.local === 'ID') ?? [];
  const block = blocks.find((child) => child.uri.startsWith(CWMP_NAMESPACE_PREFIX)) ?? blocks[0];
  if (block === undefined) return null;
  if (block.text.length > ID_CHARACTERS_MAX) {
    throw badRequest(`The header's ID may have at most ${ID_CHARACTERS_MAX} characters`);
  }
  return block.text;
}

/**
 * The CWMP namespace that the envelope is written in: its message's, else (SOAP faults, foreign RPCs, no message) the first
 * that it declares.
 *
 * @returns null for a version of CWMP that is not known
 * @throws SoapError 400 where nothing says CWMP at all
 */
function findNamespace(payload: Element | null, tree: ElementTree): CwmpNamespace | null {
  const own = payload?.uri ?? '';
  if (own.startsWith(CWMP_NAMESPACE_PREFIX)) return knownNamespace(own);
  if (tree.declared.length === 0) {
    throw badRequest(`The envelope is not CWMP: it declares none of ${CWMP_NAMESPACES.join(', ')}`);
  }
  for (const uri of tree.declared) {
    const known = knownNamespace(uri);
    if (known !== null) return known;
  }
  return null;
}

function knownNamespace(uri: string): CwmpNamespace | null {
  return CWMP_NAMESPACES.find((namespace) => namespace === uri) ?? null;
}

function unknownRpc(payload: Element): { readonly type: 'unknown'; readonly name: string } {
  return { type: 'unknown', name: cutText(payload.local, NAME_CHARACTERS_MAX) };
}

function isSoap(element: Element, local: string): boolean {
  return element.local === local && element.uri === SOAP_NAMESPACE;
}

function badRequest(message: string): SoapError {
  return new SoapError(message, { kind: 'http', status: 400 });
}
