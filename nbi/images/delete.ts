import type { Turn } from '../../common/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import { type Rules, type StoredRule, writtenId } from '../../rules/index.js';
import {
  ApiError,
  actorOf,
  closedQuery,
  failures,
  jsonAnswer,
  type Problem,
  queryParameter,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { dialect, findOwnImage, IMAGE_PATH, type ImageParts, NAME } from './image.js';

const NAMING_RULES_SHOWN_MAX = 10;

/** `DELETE /v1/images/{name}` */
export function deleteRoute({ images, rules, reading }: ImageParts): Route {
  return route({
    method: 'DELETE',
    path: IMAGE_PATH,
    parameters: [NAME],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'deleteImage',
    summary: 'Deletes an image',
    query: closedQuery(
      queryParameter('force', 'true: also while an enabled rule names it.', {
        type: 'boolean',
        expected: 'true or false',
      }),
    ),
    answers: {
      '200': jsonAnswer('Deleted', ref('Answer'), dialect.answer(204, '')),
      ...failures('Answer', '404', '409', '507'),
    },
    async handle(exchange) {
      const { response, parameters, query } = exchange;
      const { force = false } = query;
      const scope = scopeOf(exchange);
      const image = await findOwnImage(images, parameters.name, scope);
      const naming = force
        ? []
        : await reading.long(exchange, (turn) => rulesMeaning(image, { rules, images }, turn));
      if (naming.length > 0) throw inUse(naming, scope);
      if (!(await images.remove(image.name, actorOf(exchange), image.organization))) throw new ApiError(404);
      response.json(dialect.answer(204, ''));
    },
  });
}

/** Enabled rules whose `file` means this image: of an organization its own; a shared image also those of organizations without one of that name. */
async function rulesMeaning(
  { name, organization }: Image,
  { rules, images }: { readonly rules: Rules; readonly images: ImageLibrary },
  turn: Turn,
): Promise<readonly StoredRule[]> {
  const found: StoredRule[] = [];
  const meansIt = new Map([[organization, true]]);
  const owned = organization === undefined ? {} : { organization };
  for await (const rule of rules.scan(owned, turn)) {
    if (!rule.enabled || rule.file !== name) continue;
    const owner = rule.organization;
    const means = meansIt.get(owner) ?? (await images.get(name, owner))?.organization === undefined;
    meansIt.set(owner, means);
    if (means) found.push(rule);
    if (found.length >= NAMING_RULES_SHOWN_MAX) break;
  }
  return found;
}

/** A problem for each whose rules they are: ids are unique only within an organization. */
function inUse(naming: readonly StoredRule[], { organization, organizations }: Scope): ApiError {
  const owners = new Set(naming.map((rule) => rule.organization));
  const problems = [...owners].map((owner): Problem => {
    const isNamed = owner !== undefined && organization === null;
    const whose = isNamed ? `rule of ${organizations.labelOf(owner)}` : 'rule';
    return {
      field: 'name',
      code: 'in-use',
      expected: `an image that no enabled ${whose} names: disable these rules, or add force=true`,
      ids: naming.filter((rule) => rule.organization === owner).map(({ id }) => writtenId(id)),
    };
  });
  return new ApiError(409, problems);
}
