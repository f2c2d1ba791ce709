import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { EnvelopeObserver } from '../../cpe-sim/index.js';
import { parseFragments } from './xml-fragments.js';

const FIXTURES = new URL('../../../test/fixtures/cwmp-xsd/', import.meta.url);
const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const CWMP_PREFIX = 'urn:dslforum-org:cwmp-';
const CWMP_1_2 = 'urn:dslforum-org:cwmp-1-2';

/**
 * SOAP's own schemas as one, since its envelope may carry types of its encoding. Made here and not a fixture: those are the
 * official files, unchanged.
 */
const ENVELOPE_SCHEMA = 'soap.xsd';
const ENVELOPE_SCHEMA_TEXT =
  '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">' +
  `<xs:import namespace="${SOAP}" schemaLocation="soap-envelope.xsd"/>` +
  '<xs:import namespace="http://schemas.xmlsoap.org/soap/encoding/" schemaLocation="soap-encoding.xsd"/></xs:schema>';

/**
 * The schema of each namespace. CWMP 1.3 and 1.4 extend the namespace of 1.2, so 1.2 is held to the newest of them; the
 * URNs of their own that some CPEs send are read as that of 1.2.
 */
const CWMP_SCHEMAS: Readonly<Record<string, string>> = {
  'urn:dslforum-org:cwmp-1-0': 'cwmp-1-0.xsd',
  'urn:dslforum-org:cwmp-1-1': 'cwmp-1-1.xsd',
  [CWMP_1_2]: 'cwmp-1-4.xsd',
  'urn:dslforum-org:cwmp-1-3': 'cwmp-1-3.xsd',
  'urn:dslforum-org:cwmp-1-4': 'cwmp-1-4.xsd',
};

export interface SchemaError {
  /** Which of the envelopes. */
  readonly index: number;
  readonly error: string;
}

/**
 * Holds CWMP envelopes to the official schemas: the envelope to SOAP's, and (SOAP is lax about what it carries) the Body's
 * child, each CWMP header block and a fault's CWMP detail to their own global elements in the schema of their namespace.
 * A Body without exactly one child, and a fault without CWMP detail, are violations. Empty bodies are skipped.
 * Equal documents are checked once.
 *
 * @returns every violation; empty where all are valid
 */
export async function validateEnvelopes(envelopes: readonly string[]): Promise<SchemaError[]> {
  const errors: SchemaError[] = [];
  const jobs = new Map<string, Map<string, number[]>>();
  const enqueue = (schema: string, document: string, index: number) => {
    const documents = jobs.get(schema) ?? new Map<string, number[]>();
    jobs.set(schema, documents);
    const indexes = documents.get(document);
    if (indexes === undefined) documents.set(document, [index]);
    else indexes.push(index);
  };
  for (const [index, envelope] of envelopes.entries()) {
    if (envelope.trim() === '') continue;
    try {
      for (const { schema, document } of documentsOf(envelope)) enqueue(schema, document, index);
    } catch (error) {
      errors.push({ index, error: error instanceof Error ? error.message : String(error) });
    }
  }
  for (const [schema, documents] of jobs) {
    const problemOf = await validation(schema);
    for (const [document, indexes] of documents) {
      const error = problemOf(document);
      if (error !== null) errors.push(...indexes.map((index) => ({ index, error })));
    }
  }
  return errors.sort((a, b) => a.index - b.index);
}

const ERRORS_SHOWN_MAX = 3;

/**
 * For teardowns, in which an assertion fails nothing but an error does.
 * @throws Error with the first violations and their envelopes, where any of the envelopes breaks the official schemas
 */
export async function requireValidEnvelopes(envelopes: readonly string[]): Promise<void> {
  const errors = await validateEnvelopes(envelopes);
  if (errors.length === 0) return;
  const shown = errors.slice(0, ERRORS_SHOWN_MAX).map(({ index, error }) => `${error}\n${envelopes[index]}`);
  throw new Error(`${errors.length} CWMP envelopes break the official schema:\n${shown.join('\n')}`);
}

/**
 * Keeps whatever CPEs send and are sent, and fails the test at its end where any of it breaks the official schemas: for
 * servers in processes of their own.
 */
export function holdToSchemas(t: ExecutionContext): EnvelopeObserver {
  const envelopes: string[] = [];
  t.teardown(() => requireValidEnvelopes(envelopes));
  return (_direction, envelope) => {
    if (envelope !== null) envelopes.push(envelope.toString());
  };
}

/** What has to be valid, each against which schema. @throws Error for what no schema can judge */
function documentsOf(envelope: string): { schema: string; document: string }[] {
  const find = parseFragments(envelope);
  const documents = [{ schema: ENVELOPE_SCHEMA, document: envelope }];
  const payloads = find(`{${SOAP}}Body`, '*');
  const payload = payloads[0];
  if (payload === undefined || payloads.length > 1) {
    throw new Error(`Body must have one child, found ${payloads.length}`);
  }
  const carried = find(`{${SOAP}}Header`, '*').filter(({ uri }) => uri.startsWith(CWMP_PREFIX));
  if (payload.uri === SOAP && payload.local === 'Fault') {
    documents.push({ schema: ENVELOPE_SCHEMA, document: payload.serialize() });
    const details = find(`{${SOAP}}Body`, `{${SOAP}}Fault`, '{}detail', '*');
    if (details.length !== 1)
      throw new Error(`A fault's detail must have one child, found ${details.length}`);
    carried.push(...details);
  } else {
    carried.push(payload);
  }
  for (const fragment of carried) {
    const schema = CWMP_SCHEMAS[fragment.uri];
    if (schema === undefined) throw new Error(`{${fragment.uri}}${fragment.local} is in no CWMP namespace`);
    const document = fragment.serialize((uri) => uri.replace(/^urn:dslforum-org:cwmp-1-[34]$/, CWMP_1_2));
    documents.push({ schema, document });
  }
  return documents;
}

/** What is wrong with a document; null where it is valid. */
type Validation = (document: string) => string | null;

const validations = new Map<string, Promise<Validation>>();

/** Each schema is read once in a process. */
function validation(schema: string): Promise<Validation> {
  const known = validations.get(schema) ?? createValidation(schema);
  validations.set(schema, known);
  return known;
}

let library: Promise<typeof import('libxml2-wasm')> | null = null;

/** Not before there is something to check: most tests speak no CWMP. */
async function loadLibrary(): Promise<typeof import('libxml2-wasm')> {
  const { xmlRegisterFsInputProviders } = await import('libxml2-wasm/lib/nodejs.mjs');
  // For what a schema imports.
  xmlRegisterFsInputProviders();
  return import('libxml2-wasm');
}

/** @throws XmlLibError where the schema cannot be read */
async function createValidation(schema: string): Promise<Validation> {
  library ??= loadLibrary();
  const { XmlDocument, XmlLibError, XsdValidator } = await library;
  const url = fileURLToPath(new URL(schema, FIXTURES));
  const text = schema === ENVELOPE_SCHEMA ? ENVELOPE_SCHEMA_TEXT : readFileSync(url, 'utf8');
  const validator = XsdValidator.fromDoc(XmlDocument.fromString(text, { url }));
  return (document) => {
    try {
      const parsed = XmlDocument.fromString(document);
      try {
        validator.validate(parsed);
      } finally {
        parsed.dispose();
      }
      return null;
    } catch (error) {
      if (!(error instanceof XmlLibError)) throw error;
      return error.details.map(({ message }) => message.trim()).join('; ');
    }
  };
}
