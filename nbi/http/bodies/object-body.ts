import type { NbiLimits } from '../../limits.js';
import { mayActAs, type Principal, type Role } from '../../users/index.js';
import { ApiError, invalid } from '../api-error.js';
import { isObject, type JsonObject } from '../json.js';
import { type Checked, check, type Schema } from '../schema.js';
import type { BodyKind, JsonSize } from './body-kind.js';
import { heldOfJson, JSON_TYPE, readJson } from './json-body.js';

type Properties = Readonly<Record<string, Schema>>;

/** How the fields of a JSON object are checked. */
interface FieldChecks<Name extends string, Required extends string> {
  readonly required?: readonly Required[];
  /** Just one of these is to be there. */
  readonly oneOf?: readonly Name[];
  /** Fields that ask for more than the route does. */
  readonly roles?: Readonly<Record<string, { readonly role: Role; readonly expected: string }>>;
  /** What an answer expects where there is another field. Without it others are let through. */
  readonly others?: string;
  /** Fields that a list shows beside those that can be said: they are taken, and not handed on. */
  readonly taken?: readonly string[];
  /** The fields in the order in which they are checked, where it is not that of the document: the first problem is the answer. */
  readonly checked?: readonly Name[];
}

/** A JSON object, with its fields as the document lists them. */
export interface ObjectDeclaration<P extends Properties, Required extends string>
  extends FieldChecks<keyof P & string, Required> {
  readonly properties: P;
  readonly example: unknown;
}

/** The fields of a body that has been read; those that have a default are always there. */
export type ObjectBody<P extends Properties, Required extends string> = {
  readonly [Name in keyof P]:
    | Checked<P[Name]>
    | (Name extends Required
        ? never
        : P[Name] extends { readonly default: unknown; readonly expected: string }
          ? never
          : undefined);
};

/** A body that is a JSON object with the fields declared. */
export function objectBody<const P extends Properties, const Required extends string = never>(
  declaration: ObjectDeclaration<P, Required>,
): BodyKind<ObjectBody<P, Required>> {
  return {
    content: { [JSON_TYPE]: { schema: objectSchema(declaration), example: declaration.example } },
    heldBytesMax: (announced, limits) => heldOfJson(announced, callSize(limits).bytesMax),
    read: async (source) =>
      checkFields(await readObject(source, callSize(source.limits)), declaration, source.user),
  };
}

/** Such an object, as the OpenAPI document shows it. */
export function objectSchema<P extends Properties, Required extends string>({
  properties,
  required,
  oneOf,
  others,
  taken = [],
}: ObjectDeclaration<P, Required>): Schema {
  return {
    type: 'object',
    ...(required === undefined ? {} : { required }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map((name) => ({ required: [name] })) }),
    properties,
    ...(taken.length > 0 && { patternProperties: { [`^(?:${taken.join('|')})$`]: TAKEN } }),
    ...(others !== undefined && { additionalProperties: false }),
  };
}

const TAKEN = { description: 'As a list shows it; it is passed over.' };

/** A body that is a JSON object, whose fields are for whoever acts on it to judge. */
export function anyObjectBody(example: unknown): BodyKind<JsonObject> {
  return {
    content: { [JSON_TYPE]: { schema: { type: 'object' }, example } },
    heldBytesMax: (announced, limits) => heldOfJson(announced, limits.bodyBytesMax),
    read: (source) => readObject(source, { bytesMax: source.limits.bodyBytesMax, remedy: REMEDY }),
  };
}

const REMEDY = 'send it in several requests';

/** What calls a method is small. */
function callSize({ callBytesMax, bodyBytesMax }: NbiLimits): JsonSize {
  return { bytesMax: Math.min(callBytesMax, bodyBytesMax), remedy: REMEDY };
}

async function readObject(source: Parameters<typeof readJson>[0], size: JsonSize): Promise<JsonObject> {
  const body = await readJson(source, size);
  if (!isObject(body)) throw invalid('', 'a JSON object as the body', body);
  return body;
}

const NAME_CHARACTERS_SHOWN = 100;

/**
 * The fields of an object that has been read by other means than {@link objectBody}.
 * @param body  JSON
 * @throws ApiError 400 with the first problem; 403 where a field asks for another role
 */
export function checkFields<const P extends Properties, const Required extends string = never>(
  body: unknown,
  declaration: ObjectDeclaration<P, Required>,
  user: Principal | null,
): ObjectBody<P, Required> {
  if (!isObject(body)) throw invalid('', 'a JSON object as the body', body);
  // Each field has been checked by the schema that its type comes from.
  return checkAll(body, declaration.properties, declaration, user) as ObjectBody<P, Required>;
}

function checkAll(
  body: JsonObject,
  properties: Properties,
  checks: FieldChecks<string, string>,
  user: Principal | null,
): JsonObject {
  const { required = [], oneOf = [], roles = {}, others, taken = [] } = checks;
  const other = Object.keys(body).find((name) => !Object.hasOwn(properties, name) && !taken.includes(name));
  if (other !== undefined && others !== undefined)
    throw invalid(other.slice(0, NAME_CHARACTERS_SHOWN), others);
  const checked: Record<string, unknown> = Object.fromEntries(
    Object.entries(body).filter(([name]) => !taken.includes(name)),
  );
  let isOneChecked = false;
  for (const name of checks.checked ?? Object.keys(properties)) {
    const schema = properties[name] ?? {};
    if (oneOf.includes(name) && !isOneChecked) {
      requireOne(body, oneOf);
      isOneChecked = true;
    }
    const initial = schema['expected'] === undefined ? undefined : schema['default'];
    const value = body[name] === undefined ? initial : body[name];
    if (value === undefined && !required.includes(name)) continue;
    const demand = roles[name];
    if (demand !== undefined && (user === null || !mayActAs(user.role, demand.role))) {
      throw new ApiError(403, [{ field: name, expected: demand.expected }]);
    }
    checked[name] = check(schema, name, value);
  }
  return checked;
}

function requireOne(body: JsonObject, names: readonly string[]): void {
  const [name, ...others] = names.filter((each) => body[each] !== undefined);
  if (name !== undefined && others.length === 0) return;
  throw invalid(others[0] ?? names[0] ?? '', `one of ${names.join(', ')}, and only one`);
}
