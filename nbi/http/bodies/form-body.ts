import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { ApiError, invalid } from '../api-error.js';
import type { Parameter } from '../parameter.js';
import type { BodyKind } from './body-kind.js';
import { refuseEncoding } from './media-type.js';

const FORM_TYPE = 'multipart/form-data';
const FIELDS_MAX = 32;
const FIELD_BYTES_MAX = 64 * 1024;
const NAME_BYTES_MAX = 100;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 32;

/** All that a form can be beside its file. */
export const FORM_BYTES_MAX = FIELD_BYTES_MAX + (FIELDS_MAX + 1) * HEADER_BYTES_MAX;

/** A form that brings one file. */
export interface FileForm {
  /** What stands before the file. */
  readonly fields: URLSearchParams;
  /** The field that the file stands in. */
  readonly fileField: string;
  /** What the sender calls the file, without directories; empty where it does not say. */
  readonly fileName: string;
  /** The bytes of the file; it fails where the form is not whole, or something stands behind the file. */
  readonly content: Readable;
}

/**
 * A form (RFC 7578) with one file, whatever its field is called, which the handler takes as it comes. What else is said stands before the file, as
 * browsers, curl and Python's requests send what is given first.
 * @param fields  as the document shows them
 * @param fileField  what the document calls the field of the file
 */
export function formBody(fields: readonly Parameter[], fileField = 'file'): BodyKind<FileForm> {
  const properties = Object.fromEntries(
    fields.map(({ name, description, schema }) => [name, { ...schema, description }]),
  );
  const file = { type: 'string', format: 'binary', description: 'The file itself; it comes last.' };
  return {
    content: {
      [FORM_TYPE]: {
        schema: { type: 'object', required: [fileField], properties: { ...properties, [fileField]: file } },
      },
    },
    // The file is streamed; fields are few and short.
    heldBytesMax: ({ bytes }) => Math.min(bytes, FIELD_BYTES_MAX),
    async read({ request }) {
      refuseEncoding(request);
      return new FormReader(request).form();
    },
  };
}

class FormReader {
  readonly #request: IncomingMessage;
  readonly #parser: BusboyInstance;
  readonly #fields = new URLSearchParams();
  /** The file, which is only at its end where the form is: so nothing is taken for whole that is not. */
  readonly #content = new PassThrough();
  #fieldBytes = 0;
  #hasFile = false;
  #reject: (error: Error) => void = () => {};

  /** @throws ApiError 415 */
  constructor(request: IncomingMessage) {
    this.#request = request;
    this.#parser = parserOf(request);
    // Whoever reads it is told. Where nobody does, or not any more, an error that nobody hears would end the process.
    this.#content.on('error', () => {});
  }

  /** Resolves once the file begins. @throws ApiError 400 */
  form(): Promise<FileForm> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#parser.on('field', (name: string | undefined, value, isNameCut, isValueCut) => {
        // The parser's types know no field without a name.
        if (name === undefined) return this.#refuse('body', 'a name for each field');
        if (this.#hasFile) return this.#refuse(shown(name), 'a field before the file: the file comes last');
        this.#fieldBytes += Buffer.byteLength(value);
        if (isNameCut || isValueCut || this.#fieldBytes > FIELD_BYTES_MAX)
          return this.#refuse(shown(name), `fields of at most ${FIELD_BYTES_MAX} bytes together`);
        this.#fields.append(name, value);
      });
      this.#parser.on('file', (field: string | undefined, stream, fileName) => {
        this.#hasFile = true;
        // The form fails with it.
        stream.on('error', () => {});
        stream.pipe(this.#content, { end: false });
        const file = { fileField: field ?? '', fileName: fileName ?? '', content: this.#content };
        resolve({ fields: this.#fields, ...file });
      });
      for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const)
        this.#parser.on(limit, () => this.#refuse('body', `one file and at most ${FIELDS_MAX} fields`));
      this.#parser.on('finish', () => {
        if (this.#hasFile) this.#content.end();
        else this.#refuse('file', 'a part with a file, behind the fields');
      });
      this.#parser.on('error', (error) => this.#refuse('body', `a whole form: ${messageOf(error)}`));
      this.#request.once('close', () => {
        if (!this.#request.complete) this.#refuse('body', CONNECTION_BROKE);
      });
      // One that broke before anybody listened gives neither bytes nor an end.
      if (this.#request.destroyed && !this.#request.complete) this.#refuse('body', CONNECTION_BROKE);
      else this.#request.pipe(this.#parser);
    });
  }

  /** The form as long as there is no file yet, else the file, which nobody takes for whole then. */
  #refuse(field: string, expected: string): void {
    this.#request.unpipe(this.#parser);
    this.#reject(invalid(field, expected));
    const reason = new Error(`${field}: expected ${expected}`);
    this.#content.destroy(reason);
    if (!this.#parser.destroyed) this.#parser.destroy(reason);
  }
}

const CONNECTION_BROKE = 'a whole form: the connection broke';

/** @throws ApiError 415 where it is no form, or one without a boundary */
function parserOf(request: IncomingMessage): BusboyInstance {
  const contentType = request.headers['content-type'] ?? '';
  const [mediaType = ''] = contentType.split(';', 1);
  try {
    if (mediaType.trim().toLowerCase() !== FORM_TYPE) throw new Error('it is no form');
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fields: FIELDS_MAX,
        files: 1,
        parts: FIELDS_MAX + 1,
        fieldNameSize: NAME_BYTES_MAX,
        fieldSize: FIELD_BYTES_MAX,
        headerPairs: HEADERS_MAX,
        headerSize: HEADER_BYTES_MAX,
      },
    });
  } catch {
    const expected = `${FORM_TYPE} with a boundary`;
    throw new ApiError(415, [{ field: 'Content-Type', expected, found: contentType.slice(0, 100) }]);
  }
}

function shown(name: string): string {
  return name.slice(0, NAME_BYTES_MAX);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
