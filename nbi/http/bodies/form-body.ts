import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
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
  /** What the sender calls the file, without directories; empty where it does not say. */
  readonly fileName: string;
  /** The bytes of the file; it fails where the form is not whole, or something stands behind the file. */
  readonly content: Readable;
}

/**
 * A form (RFC 7578) with one file, whatever its field is called, which the handler takes as it comes. What else is said stands before the file, as
 * browsers, curl and Python's requests send what is given first.
 * @param fields  as the document shows them
 */
export function formBody(fields: readonly Parameter[]): BodyKind<FileForm> {
  const properties = Object.fromEntries(
    fields.map(({ name, description, schema }) => [name, { ...schema, description }]),
  );
  const file = { type: 'string', format: 'binary', description: 'The file itself; it comes last.' };
  return {
    content: {
      [FORM_TYPE]: { schema: { type: 'object', required: ['file'], properties: { ...properties, file } } },
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
  #fieldBytes = 0;
  #hasFile = false;
  #reject: (error: Error) => void = () => {};

  /** @throws ApiError 415 */
  constructor(request: IncomingMessage) {
    this.#request = request;
    this.#parser = parserOf(request);
  }

  /** Resolves once the file begins. @throws ApiError 400 */
  form(): Promise<FileForm> {
    const ended = once(this.#parser, 'finish');
    // Who takes the file is told; before there is one the form itself fails.
    ended.catch(() => {});
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#parser.on('field', (name, value, isNameCut, isValueCut) => {
        if (this.#hasFile) return this.#refuse(shown(name), 'a field before the file: the file comes last');
        this.#fieldBytes += Buffer.byteLength(value);
        if (isNameCut || isValueCut || this.#fieldBytes > FIELD_BYTES_MAX)
          return this.#refuse(shown(name), `fields of at most ${FIELD_BYTES_MAX} bytes together`);
        this.#fields.append(name, value);
      });
      this.#parser.on('file', (_, stream, fileName) => {
        this.#hasFile = true;
        // The form fails with it. Without anybody who hears it here the process would, where the file is not read, or not any more.
        stream.on('error', () => {});
        const content = Readable.from(bytesOf(stream, ended), { objectMode: false });
        resolve({ fields: this.#fields, fileName: fileName ?? '', content });
      });
      for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const)
        this.#parser.on(limit, () => this.#refuse('body', `one file and at most ${FIELDS_MAX} fields`));
      this.#parser.on('finish', () => {
        if (!this.#hasFile) this.#refuse('file', 'a part with a file, behind the fields');
      });
      this.#parser.on('error', (error) => this.#refuse('body', `a whole form: ${messageOf(error)}`));
      this.#request.once('aborted', () => this.#refuse('body', 'a whole form: the connection broke'));
      this.#request.pipe(this.#parser);
    });
  }

  /** The form as long as there is no file yet, else the file, which nobody takes for whole then. */
  #refuse(field: string, expected: string): void {
    this.#request.unpipe(this.#parser);
    this.#reject(invalid(field, expected));
    if (!this.#parser.destroyed) this.#parser.destroy(new Error(`${field}: expected ${expected}`));
  }
}

/** The file, which is only at its end where the form is: so nothing is taken for whole that is not. */
async function* bytesOf(file: Readable, ended: Promise<unknown>): AsyncGenerator<Uint8Array, void> {
  const failed = ended.then(() => null);
  const chunks = file.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([chunks.next(), failed]);
    if (next === null || next.done) break;
    yield next.value as Uint8Array;
  }
  await ended;
}

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
