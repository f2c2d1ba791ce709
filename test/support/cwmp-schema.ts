import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { validateXML } from 'xmllint-wasm';
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

const FIXTURE_FILES = [
  'soap-envelope.xsd',
  'soap-encoding.xsd',
  'cwmp-1-0.xsd',
  'cwmp-1-1.xsd',
  'cwmp-1-2.xsd',
  'cwmp-1-3.xsd',
  'cwmp-1-4.xsd',
];

/** Documents a WebAssembly run takes at once, which is bounded by its memory and its command line. */
const BATCH_DOCUMENTS_MAX = 1_000;
const BATCH_CHARACTERS_MAX = 8 * 1024 * 1024;
const MEMORY_PAGES_MAX = 4_096;

export interface SchemaError {
  /** Which of the envelopes. */
  readonly index: number;
  readonly error: string;
}

/**
 * Holds CWMP envelopes to the official schemas: the envelope to SOAP's, and (SOAP is lax about what it carries) the Body's
 * child, each CWMP header block and a fault's CWMP detail to their own global elements in the schema of their namespace.
 * A Body without exactly one child, and a fault without CWMP detail, are violations. Empty bodies are skipped.
 * Takes thousands at once; equal documents are checked once.
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
    for (const batch of batchesOf([...documents.keys()])) {
      for (const { document, error } of await validate(schema, batch)) {
        for (const index of documents.get(document) ?? []) errors.push({ index, error });
      }
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

function batchesOf(documents: readonly string[]): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let characters = 0;
  for (const document of documents) {
    if (batch.length >= BATCH_DOCUMENTS_MAX || characters + document.length > BATCH_CHARACTERS_MAX) {
      batches.push(batch);
      batch = [];
      characters = 0;
    }
    batch.push(document);
    characters += document.length;
  }
  return batch.length === 0 ? batches : [...batches, batch];
}

/**
 * @throws Error where xmllint gives no verdict on a document: a schema that it cannot load must not pass for a success
 */
async function validate(
  schema: string,
  documents: readonly string[],
): Promise<{ document: string; error: string }[]> {
  const output = await xmllint(schema, documents);
  const found = new Map<number, string[]>();
  const verdicts = new Set<number>();
  for (const line of output.split('\n')) {
    const verdict = /^doc-(\d+)\.xml (?:validates|fails to validate)$/.exec(line)?.[1];
    const problem = /^doc-(\d+)\.xml:\d+: (.*)$/.exec(line);
    if (verdict !== undefined) verdicts.add(Number(verdict));
    if (problem?.[1] === undefined || problem[2] === undefined) continue;
    const index = Number(problem[1]);
    found.set(index, [...(found.get(index) ?? []), problem[2]]);
  }
  return documents.flatMap((document, index) => {
    const problems = found.get(index);
    if (problems === undefined && !verdicts.has(index)) {
      throw new Error(`xmllint gave no verdict with ${schema}: ${output.slice(0, 2_000)}`);
    }
    return problems === undefined ? [] : [{ document, error: problems.join('; ') }];
  });
}

async function xmllint(schema: string, documents: readonly string[]): Promise<string> {
  const fixtures = FIXTURE_FILES.map((fileName) => ({
    fileName,
    contents: readFileSync(new URL(fileName, FIXTURES), 'utf8'),
  }));
  const files = [...fixtures, { fileName: ENVELOPE_SCHEMA, contents: ENVELOPE_SCHEMA_TEXT }];
  try {
    const result = await validateXML({
      xml: documents.map((contents, index) => ({ fileName: `doc-${index}.xml`, contents })),
      schema: files.filter(({ fileName }) => fileName === schema),
      preload: files.filter(({ fileName }) => fileName !== schema),
      maxMemoryPages: MEMORY_PAGES_MAX,
    });
    return result.rawOutput;
  } catch (error) {
    // Its exit code is that of the last document; what it wrote about each is in the message.
    return error instanceof Error ? error.message : String(error);
  }
}
