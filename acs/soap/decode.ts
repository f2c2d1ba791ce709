import { cutText } from '../../common/index.js';
import { decodeText, forgivingText } from './charset.js';
import { decodeFault, decodeMessage, MESSAGES, MessageReader } from './decode-message.js';
import { type Element, type ElementTree, parseTree } from './element-tree.js';
import { forgivingTree } from './forgiving-tree.js';
import { ID_CHARACTERS_MAX, NAME_CHARACTERS_MAX, SOAP_LIMITS, type SoapLimits } from './limits.js';
import {
  ACS_FAULT,
  type CpeEnvelope,
  type CpeMessage,
  CWMP_NAMESPACES,
  type CwmpNamespace,
  type EnvelopeStyle,
  type Mend,
  SoapError,
} from './message.js';
import {
  CWMP_NAMESPACE_PREFIX,
  knownNamespace,
  PLAINEST_NAMESPACE,
  SOAP_NAMESPACE,
  UNDECLARED,
} from './namespaces.js';
import { plainTree, TagReader } from './plain-tree.js';

/** What a CPE of a version unknown to us is answered in: the newest that has fault 8006. */
const FALLBACK_NAMESPACE: CwmpNamespace = 'urn:dslforum-org:cwmp-1-2';

/** Only remembers what it has read; two callers cannot tell that they share it. */
const TAGS = new TagReader();

/**
 * Decodes one CWMP envelope, with whatever prefixes, field order, array counts and white space a CPE uses. What is well-formed is read
 * strictly; what is not is read once more, forgivingly, within the same limits, and `mended` says what was put right.
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
  try {
    return readStrictly(body, contentType, limits);
  } catch (error) {
    if (!(error instanceof SoapError) || !isWorthAnotherTry(error)) throw error;
    return readForgivingly(body, contentType, limits);
  }
}

/** What is too large stays so, and a fault answers what was understood. */
function isWorthAnotherTry({ answer }: SoapError): boolean {
  return answer.kind === 'http' && answer.status !== 413;
}

function readStrictly(body: Buffer, contentType: string | undefined, limits: SoapLimits): CpeEnvelope {
  const text = decodeText(body, contentType);
  const tree =
    plainTree(text, limits, CWMP_NAMESPACE_PREFIX, TAGS) ?? parseTree(text, limits, CWMP_NAMESPACE_PREFIX);
  return interpret(tree, limits, new Set());
}

/**
 * One flaw in a part that nobody reads must not turn a CPE away for ever: only an upgrade could mend it, and that takes a session.
 * @throws SoapError as {@link decodeEnvelope}, also for what is still wrong with the envelope
 */
function readForgivingly(body: Buffer, contentType: string | undefined, limits: SoapLimits): CpeEnvelope {
  const mended = new Set<Mend>();
  const text = forgivingText(body, contentType, mended);
  const tree = forgivingTree(text, limits, mended);
  // The strict reader has refused it for something that has no name of its own.
  if (mended.size === 0) mended.add('markup');
  return interpret(tree, limits, mended);
}

function interpret(tree: ElementTree, limits: SoapLimits, mended: Set<Mend>): CpeEnvelope {
  const envelope = checkedEnvelope(tree.root, mended);
  const id = headerId(part(envelope, 'Header', mended));
  const soapBody = part(envelope, 'Body', mended);
  if (soapBody === null) throw badRequest('The SOAP envelope has no Body');
  const payload = soapBody.children[0] ?? null;
  if (payload?.uri.startsWith(UNDECLARED)) {
    throw badRequest(`The prefix of ${cutText(payload.local, NAME_CHARACTERS_MAX)} is not declared`);
  }
  const namespace = findNamespace(payload, tree);
  const style: EnvelopeStyle = { namespace: namespace ?? FALLBACK_NAMESPACE };
  const reader = new MessageReader(id, style, payload?.local ?? null, limits, mended);

  if (namespace === null) {
    throw reader.fault(
      ACS_FAULT.versionIncompatible,
      `The CWMP version is not known; use one of ${CWMP_NAMESPACES.join(', ')}`,
    );
  }
  if (payload === null || soapBody.children.length > 1) {
    throw reader.invalid('Body', `must hold one message, found ${soapBody.children.length}`);
  }
  const message = readMessage(reader, payload, namespace);
  return { id, style, message, mended: mended.size === 0 ? NOTHING : [...mended] };
}

const NOTHING: readonly Mend[] = Object.freeze([]);

function readMessage(reader: MessageReader, payload: Element, namespace: CwmpNamespace): CpeMessage {
  if (isSoap(payload, 'Fault')) return decodeFault(reader, payload);
  if (payload.uri !== namespace && !isUnqualified(payload)) return unknownRpc(payload);
  const message = decodeMessage(reader, payload);
  if (message === null) return unknownRpc(payload);
  if (payload.uri !== namespace) reader.mended.add('namespace');
  return message;
}

/** A message without a namespace of its own, also where SOAP's is the default one, can only mean CWMP. */
function isUnqualified({ uri }: Element): boolean {
  return uri === '' || uri === SOAP_NAMESPACE;
}

function checkedEnvelope(root: Element, mended: Set<Mend>): Element {
  if (isPart(root, 'Envelope', mended)) return root;
  throw badRequest(
    `The body is not a SOAP 1.1 envelope: its root element must be Envelope in ${SOAP_NAMESPACE}`,
  );
}

/** The one Header or Body. Two would let two readers see two messages. */
function part(envelope: Element, local: 'Header' | 'Body', mended: Set<Mend>): Element | null {
  let found: Element | null = null;
  for (const child of envelope.children) {
    if (!isPart(child, local, mended)) continue;
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
    if (payload !== null && isUnqualified(payload) && MESSAGES.has(payload.local)) return PLAINEST_NAMESPACE;
    throw badRequest(`The envelope is not CWMP: it declares none of ${CWMP_NAMESPACES.join(', ')}`);
  }
  for (const uri of tree.declared) {
    const known = knownNamespace(uri);
    if (known !== null) return known;
  }
  return null;
}

function unknownRpc(payload: Element): { readonly type: 'unknown'; readonly name: string } {
  return { type: 'unknown', name: cutText(payload.local, NAME_CHARACTERS_MAX) };
}

/** One without a namespace can only mean SOAP's. */
function isPart(element: Element, local: 'Envelope' | 'Header' | 'Body', mended: Set<Mend>): boolean {
  if (isSoap(element, local)) return true;
  if (element.local !== local || element.uri !== '') return false;
  mended.add('namespace');
  return true;
}

function isSoap(element: Element, local: string): boolean {
  return element.local === local && element.uri === SOAP_NAMESPACE;
}

function badRequest(message: string): SoapError {
  return new SoapError(message, { kind: 'http', status: 400 });
}
