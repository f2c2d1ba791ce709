import { isObject, type JsonObject } from '../../nbi/http/index.js';

const HEAD = `// Made of the OpenAPI document by \`npm run client\`; what is written here by hand is lost.
`;
const JSON_TYPE = 'application/json';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** What \`client/operations.ts\` says: each call of the document, its types, and how it is sent. */
export function clientSource(document: unknown): string {
  const { paths, components } = asObject(document);
  const operations = Object.entries(asObject(paths)).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = asObject(item)[method];
      return operation === undefined ? [] : [{ path, method, operation: asObject(operation) }];
    }),
  );
  const schemas = Object.entries(asObject(asObject(components)['schemas']));
  return [
    HEAD,
    '/** The shapes that answers and bodies have in common. */',
    'export interface Schemas {',
    ...schemas.map(([name, schema]) => `  readonly ${name}: ${typeOf(schema, '  ')};`),
    '}',
    '',
    '/** What each call takes and gives, by its name. */',
    'export interface Operations {',
    ...operations.flatMap(({ operation }) => operationLines(operation)),
    '}',
    '',
    'export type OperationId = keyof Operations;',
    '',
    '/** How each call is sent, and the media types that its body may have. */',
    'export const OPERATIONS: Readonly<',
    '  Record<',
    '    OperationId,',
    '    { readonly method: string; readonly path: string; readonly body: readonly string[]; readonly summary: string }',
    '  >',
    '> = {',
    ...operations.map(({ path, method, operation }) => {
      const { operationId, summary } = operation;
      const body = Object.keys(contentOf(operation['requestBody']));
      return `  ${operationId}: ${JSON.stringify({ method: method.toUpperCase(), path, body, summary })},`;
    }),
    '};',
    '',
  ].join('\n');
}

function operationLines(operation: JsonObject): readonly string[] {
  const { operationId, summary, parameters, requestBody, responses } = operation;
  const places = { path: 'path', query: 'query', header: 'headers' } as const;
  const listed = Array.isArray(parameters) ? parameters.map(asObject) : [];
  const fields = Object.entries(places).flatMap(([place, field]) => {
    const there = listed.filter((each) => each['in'] === place);
    if (there.length === 0) return [];
    const types = there.map(
      ({ name, required, schema }) =>
        `${JSON.stringify(name)}${required === true ? '' : '?'}: ${parameterType(schema)}`,
    );
    const isNeeded = there.some(({ required }) => required === true);
    return [`    readonly ${field}${isNeeded ? '' : '?'}: { ${types.join('; ')} };`];
  });
  return [
    `  /** ${summary} */`,
    `  readonly ${operationId}: {`,
    ...fields,
    ...(requestBody === undefined ? [] : [`    readonly body: ${bodyType(requestBody)};`]),
    `    readonly answer: ${answerType(asObject(responses))};`,
    '  };',
  ];
}

/** Of a query a parameter may come several times. */
function parameterType(schema: unknown): string {
  const { type } = asObject(schema);
  return type === 'object' ? 'Readonly<Record<string, unknown>>' : typeOf(schema, '    ');
}

/** Of what is no JSON nothing is said here: it is a `RawBody`. */
function bodyType(body: unknown): string {
  const json = asObject(contentOf(body)[JSON_TYPE]);
  return json['schema'] === undefined ? 'never' : typeOf(json['schema'], '    ');
}

function answerType(responses: JsonObject): string {
  const good = Object.entries(responses).filter(([status]) => /^[23]/.test(status));
  return union(
    good.flatMap(([, response]) => {
      const contents = Object.entries(contentOf(response));
      if (contents.length === 0) return ['undefined'];
      return contents.map(([mediaType, content]) => contentType(mediaType, asObject(content)['schema']));
    }),
  );
}

function contentType(mediaType: string, schema: unknown): string {
  if (/json$/.test(mediaType) && mediaType !== 'application/x-ndjson') return typeOf(schema, '    ');
  if (mediaType === '*/*') return 'string | Uint8Array';
  return /^text\/|x-ndjson$|yaml$/.test(mediaType) ? 'string' : 'Uint8Array';
}

/** A schema as a type of TypeScript: wider than the schema where no type is as narrow. */
function typeOf(schema: unknown, indent: string): string {
  const { $ref, allOf, anyOf, oneOf, enum: values, type, ...rest } = asObject(schema);
  if (typeof $ref === 'string') return `Schemas[${JSON.stringify($ref.split('/').at(-1))}]`;
  if ('const' in rest) return JSON.stringify(rest['const']);
  if (Array.isArray(values)) return union(values.map((value) => JSON.stringify(value)));
  if (Array.isArray(allOf)) return allOf.map((each) => `(${typeOf(each, indent)})`).join(' & ');
  const alternatives = [anyOf, oneOf].find((each) => Array.isArray(each));
  // Alternatives that only say which fields are there are of the object beside them.
  if (Array.isArray(alternatives) && type === undefined && rest['properties'] === undefined)
    return union(alternatives.map((each) => typeOf(each, indent)));
  const types = Array.isArray(type) ? type : [type ?? (rest['properties'] === undefined ? 'any' : 'object')];
  return union(types.map((each) => typeOfKind(String(each), rest, indent)));
}

function typeOfKind(kind: string, schema: JsonObject, indent: string): string {
  switch (kind) {
    case 'string':
    case 'boolean':
    case 'null':
      return kind;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly (${typeOf(schema['items'], indent)})[]`;
    case 'object':
      return objectType(schema, indent);
    default:
      return 'unknown';
  }
}

function objectType(schema: JsonObject, indent: string): string {
  const { properties, required, additionalProperties, patternProperties } = schema;
  const needed = Array.isArray(required) ? required : [];
  const fields = Object.entries(asObject(properties)).map(
    ([name, each]) =>
      `${indent}  readonly ${JSON.stringify(name)}${needed.includes(name) ? '' : '?'}: ${typeOf(each, `${indent}  `)};`,
  );
  if (fields.length === 0)
    return isObject(additionalProperties)
      ? `Readonly<Record<string, ${typeOf(additionalProperties, indent)}>>`
      : 'Readonly<Record<string, unknown>>';
  const others = patternProperties === undefined ? [] : [`${indent}  readonly [name: string]: unknown;`];
  return ['{', ...fields, ...others, `${indent}}`].join('\n');
}

function union(types: readonly string[]): string {
  const distinct = [...new Set(types)];
  return distinct.includes('unknown') ? 'unknown' : distinct.join(' | ') || 'unknown';
}

function contentOf(value: unknown): JsonObject {
  return asObject(asObject(value)['content']);
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
