import { CWMP_NAMESPACES, type CwmpNamespace } from './message.js';

/** SOAP 1.1, the only one TR-069 uses (3.4.1). */
export const SOAP_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';
/** What the prefix `xml` stands for, declared or not. */
export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
export const CWMP_NAMESPACE_PREFIX = 'urn:dslforum-org:cwmp-';
/** What a CPE that names none is taken to speak: every version answers what 1.0 asks. */
export const PLAINEST_NAMESPACE: CwmpNamespace = 'urn:dslforum-org:cwmp-1-0';

const SOAP_ELEMENTS: ReadonlySet<string> = new Set(['Envelope', 'Header', 'Body']);

/** A CWMP namespace that Ferry speaks; null for any other. */
export function knownNamespace(uri: string): CwmpNamespace | null {
  return CWMP_NAMESPACES.find((namespace) => namespace === uri) ?? null;
}

/** The namespace of SOAP or CWMP that a URI is but for its case and a slash at its end; else the URI. */
export function nearestNamespace(uri: string): string {
  const plain = spelling(uri);
  if (plain === spelling(SOAP_NAMESPACE)) return SOAP_NAMESPACE;
  return CWMP_NAMESPACES.find((namespace) => namespace === plain) ?? uri;
}

function spelling(uri: string): string {
  return uri.replace(/\/$/, '').toLowerCase();
}

/** Begins what stands for the namespace of a prefix that says nothing to us. */
export const UNDECLARED = 'undeclared:';

/**
 * What an element is in whose prefix is not declared: SOAP or CWMP by the names they go by, or
 * something that is only good for a field, where nobody asks.
 *
 * @param declared  the namespaces of CWMP that the document has declared before
 */
export function undeclaredNamespace(prefix: string, local: string, declared: readonly string[]): string {
  const isSoap = SOAP_ELEMENTS.has(local) || (local === 'Fault' && !/cwmp/i.test(prefix));
  if (isSoap) return SOAP_NAMESPACE;
  return /cwmp/i.test(prefix) ? (declared[0] ?? PLAINEST_NAMESPACE) : `${UNDECLARED}${prefix}`;
}
