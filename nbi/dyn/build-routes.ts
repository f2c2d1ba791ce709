import type { Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import {
  type Build,
  BuildError,
  type Builds,
  type Category,
  type Image,
  type ImageLibrary,
  removeBuildWithImages,
  removeCategoryWithImages,
} from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import {
  ApiError,
  actorOf,
  anyObjectBody,
  closedQuery,
  type DynDialect,
  failures,
  invalid,
  type JsonObject,
  openQuery,
  type Reading,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { requireUnnamed } from '../images/index.js';
import type { NbiLimits } from '../limits.js';
import { doneAnswer, listAnswer, nothingAnswer } from './answers.js';
import { BUILD_FIELDS, buildStorage, buildView } from './build-storage.js';
import { CATEGORY_FIELDS, categoryStorage, categoryView, changedOwner } from './category-storage.js';
import { changeSelected, inBatches, narrowedTo, requireIntent } from './changes.js';
import { countRoute, countSelected } from './count-route.js';
import { type Deletion, deletionRoutes } from './deletion-routes.js';
import type { Fields } from './fields.js';
import { parseIdPattern } from './id-pattern.js';
import { sendSelected } from './list.js';
import {
  ALL,
  CASCADE,
  DRY_RUN,
  fieldParameter,
  listOptions,
  PATTERN,
  PATTERN_OF_SOME,
} from './parameters.js';
import { parseQuery } from './query.js';
import { ownerProblemOf } from './rule-rows.js';
import { shownAlready, withoutShown } from './shown-rows.js';
import { readSelected, type Storage } from './storage.js';

export interface BuildRouteParts {
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

/** What one storage of the two is called, and what is done with what is in it. */
interface Kind {
  readonly name: 'BuildStorage' | 'CategoryStorage';
  /** `Build`: as its schema and its operations are called. */
  readonly thing: 'Build' | 'Category';
  readonly things: 'Builds' | 'Categories';
  readonly word: 'build' | 'category';
  readonly order: string;
  readonly contents: string;
  readonly fields: string;
  /** By which its lists can be asked for. */
  readonly listed: Fields;
  readonly examples: { readonly added: JsonObject; readonly changed: JsonObject };
  storage(parts: BuildRouteParts, scope: Scope, isOwnOnly?: boolean): Storage;
  add(builds: Builds, said: JsonObject, by: Actor, scope: Scope): Promise<JsonObject>;
  change(builds: Builds, id: string, said: JsonObject, by: Actor, within: string): Promise<unknown>;
  remove(builds: Builds, id: string, by: Actor, within: string): Promise<void>;
  removeWithImages(parts: BuildRouteParts, id: string, removing: Removing): Promise<void>;
}

interface Removing {
  readonly by: Actor;
  readonly scope: Scope;
  readonly turn: Turn;
}

const BUILD_KIND: Kind = {
  name: 'BuildStorage',
  thing: 'Build',
  things: 'Builds',
  listed: BUILD_FIELDS,
  word: 'build',
  order: 'the shared ones first, each owner’s from the oldest',
  contents: 'images',
  fields:
    '`category` (its id, or its name), `version`, `os`, `changelog`, `productFamily` and `productModel`',
  examples: {
    added: { category: 'Gateways', version: '2.0.0', os: 'HGW 2.0.0', changelog: 'Faster' },
    changed: { changelog: 'Faster, and safer' },
  },
  storage: buildStorage,
  add: async (builds, said, by, scope) => buildView(await builds.add(said, by, changedOwner(scope)), scope),
  change: (builds, id, said, by, within) => builds.change(id, said, by, within),
  remove: (builds, id, by, within) => builds.remove(id, by, within),
  async removeWithImages(parts, id, removing) {
    const within = changedOwner(removing.scope);
    const build = await parts.images.builds.get(id, within);
    if (build === null) return;
    await requireUnnamedImages(parts, imagesOf(build), removing);
    await removeBuildWithImages(parts.images, build, { ...removing, within });
  },
};

const CATEGORY_KIND: Kind = {
  name: 'CategoryStorage',
  thing: 'Category',
  things: 'Categories',
  listed: CATEGORY_FIELDS,
  word: 'category',
  order: 'the shared ones first, each owner’s by name',
  contents: 'builds',
  fields: '`name`, `description`, `productFamily` and `productModel`',
  examples: {
    added: { name: 'Gateways', description: 'Those at home', productFamily: 'Example', productModel: 'HGW' },
    changed: { description: 'Those in offices' },
  },
  storage: categoryStorage,
  add: async (builds, said, by, scope) =>
    categoryView(await builds.categories.add(said, by, changedOwner(scope)), scope),
  change: (builds, id, said, by, within) => builds.categories.change(id, said, by, within),
  remove: (builds, id, by, within) => builds.categories.remove(id, by, within),
  async removeWithImages(parts, id, removing) {
    const { scope, turn } = removing;
    const within = changedOwner(scope);
    const category: Category | null = await parts.images.builds.categories.find(id, within);
    if (category === null) return;
    const going: OwnedImage[] = [];
    for await (const build of parts.images.builds.scan({ within, category: category.id }, turn))
      going.push(...imagesOf(build));
    // Looked at before anything is removed; whatever rule comes to name one meanwhile keeps no image today either.
    await requireUnnamedImages(parts, going, removing);
    await removeCategoryWithImages(parts.images, category, { ...removing, within });
  },
};

/** What a list shows of one and nobody says: what follows from other fields, and what is in it. */
const SHOWN = [
  'builds',
  'images',
  'targetVersion',
  'productFamilyNumber',
  'productModelNumber',
  'organization',
  'shared',
  'created',
  'modified',
];

/** The builds of firmware: they are listed, added, changed and deleted. */
export function buildRoutes(parts: BuildRouteParts, dialect: DynDialect): Route[] {
  return routesOf(BUILD_KIND, parts, dialect);
}

/** The categories that builds are of: they are listed, added, changed and deleted. */
export function categoryRoutes(parts: BuildRouteParts, dialect: DynDialect): Route[] {
  return routesOf(CATEGORY_KIND, parts, dialect);
}

function routesOf(kind: Kind, parts: BuildRouteParts, dialect: DynDialect): Route[] {
  return [
    listRoute(kind, parts, dialect),
    countRoute({
      dialect,
      role: 'viewer',
      concerns: 'organizations',
      things: kind.things,
      fields: kind.listed,
      reading: parts.reading,
      storage: (exchange) => kind.storage(parts, scopeOf(exchange)),
    }),
    postRoute(kind, parts, dialect),
    putRoute(kind, parts, dialect),
    ...deletionRoutes(deletionOf(kind, parts, dialect)),
  ];
}

function listRoute(kind: Kind, parts: BuildRouteParts, dialect: DynDialect): Route {
  const { limits, reading } = parts;
  const options = listOptions(limits.storagePageItemsMax, kind.listed);
  return route({
    method: 'GET',
    path: `/v1/dyn/${kind.name}/{pattern}`,
    parameters: [PATTERN],
    role: 'viewer',
    concerns: 'organizations',
    operationId: `list${kind.things}`,
    summary: `Lists the ${kind.things.toLowerCase()}: ${kind.order}`,
    query: openQuery(...Object.values(options), fieldParameter(kind.listed)),
    answers: {
      '200': listAnswer(`The ${kind.things.toLowerCase()}`, kind.thing),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const storage = kind.storage(parts, scopeOf(exchange));
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
      await sendSelected(exchange, storage, query, dialect, { limits, reading });
    },
  });
}

function postRoute(kind: Kind, parts: BuildRouteParts, dialect: DynDialect): Route {
  const { images, reading } = parts;
  return route({
    method: 'POST',
    path: `/v1/dyn/${kind.name}/{pattern}`,
    parameters: [PATTERN],
    role: 'operator',
    concerns: 'organizations',
    operationId: `add${kind.thing}`,
    summary: `Adds a ${kind.word}, and answers with it`,
    description: `With ${kind.fields}; an \`id\`, a UUID of version 4, may be said. What is taken already is a conflict (409): PUT changes what there is. Just what the list shows changes nothing.`,
    query: closedQuery(),
    body: anyObjectBody(kind.examples.added),
    answers: {
      '200': listAnswer(`The ${kind.word}`, kind.thing),
      ...failures('Answer', '404', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { response, parameters, body } = exchange;
      const pattern = parseIdPattern(parameters.pattern);
      const said = await body();
      if (typeof said['id'] === 'string' && !pattern.matches(said['id']))
        throw invalid('id', 'an id that matches the pattern in the path; .* takes every id', said['id']);
      const scope = scopeOf(exchange);
      const there = await shownAlready(kind.storage(parts, scope), said, reading.turn(exchange));
      if (there !== null) {
        response.json(dialect.answer(200, [there]));
        return;
      }
      const problem = ownerProblemOf(said, scope);
      if (problem !== null) throw new ApiError(400, [problem]);
      const added = await kind.add(images.builds, withoutShown(said, SHOWN), actorOf(exchange), scope);
      response.json(dialect.answer(200, [added]));
    },
  });
}

function putRoute(kind: Kind, parts: BuildRouteParts, dialect: DynDialect): Route {
  const { images, reading } = parts;
  return route({
    method: 'PUT',
    path: `/v1/dyn/${kind.name}/{pattern}`,
    parameters: [PATTERN_OF_SOME],
    role: 'operator',
    concerns: 'organizations',
    operationId: `change${kind.things}`,
    summary: `Merges fields into every ${kind.word} that matches`,
    description: `${kind.fields}. An id in the body narrows what is changed. Each is changed by itself. Within an organization the shared ones are not among them, and without one only these are.`,
    query: openQuery(ALL, fieldParameter(kind.listed)),
    body: anyObjectBody(kind.examples.changed),
    answers: {
      '200': doneAnswer('Changed', dialect),
      ...failures('Answer', '409', '413', '415', '507'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const { response, parameters, query: text } = exchange;
      const { id, ...patch } = await exchange.body();
      if (Object.keys(patch).length === 0) throw invalid('', 'at least one field to change beside id');
      const scope = scopeOf(exchange);
      const within = changedOwner(scope);
      const storage = kind.storage(parts, scope, true);
      const query = parseQuery(storage, parameters.pattern, text, { all: ALL });
      const selection = narrowedTo(query.selection, id, kind.word);
      requireIntent(query, selection);
      await changeSelected({ storage, selection, reading }, exchange, (turn) =>
        inBatches(storage, selection, turn, async (ids) => {
          for (const each of ids) await kind.change(images.builds, each, patch, actorOf(exchange), within);
        }),
      );
      response.json(dialect.answer(204, ''));
    },
  });
}

function deletionOf(kind: Kind, parts: BuildRouteParts, dialect: DynDialect): Deletion {
  const { images, reading } = parts;
  return {
    dialect,
    role: 'operator',
    concerns: 'organizations',
    operationId: `delete${kind.things}`,
    summary: `Deletes every ${kind.word} that matches`,
    description: `Refused (409) for one that has ${kind.contents}, unless \`cascade=true\` says that they go with it; images that enabled rules name are refused all the same. Each is deleted by itself, in their order, up to the first that is refused. With \`dryRun=true\` they are only counted. Within an organization the shared ones are not among them, and without one only these are.`,
    options: { all: ALL, dryRun: DRY_RUN, cascade: CASCADE },
    parameters: [fieldParameter(kind.listed)],
    example: { criteria: { productModel: 'HGW' }, id: '00000000-0000-4000-8000-0000000000b1' },
    done: {
      description: 'Deleted; or, with `dryRun=true`, how many would be',
      content: {
        'application/json': {
          schema: { anyOf: [ref('Answer'), ref('BuildCount')] },
          example: dialect.answer(204, ''),
        },
      },
    },
    refusals: ['409', '507'],
    words: (exchange) => kind.storage(parts, scopeOf(exchange), true),
    async remove(exchange, { selection, dryRun, cascade }) {
      const { response } = exchange;
      const scope = scopeOf(exchange);
      const within = changedOwner(scope);
      const storage = kind.storage(parts, scope, true);
      const selected = { storage, selection, reading };
      if (dryRun) {
        const count = await readSelected(selected, exchange, (turn) =>
          countSelected(storage, selection, turn),
        );
        if (count === 0) throw new ApiError(404);
        response.json(dialect.answer(200, { [kind.things.toLowerCase()]: count }));
        return;
      }
      const by = actorOf(exchange);
      const remove = cascade
        ? (id: string, turn: Turn) => kind.removeWithImages(parts, id, { by, scope, turn })
        : (id: string) => kind.remove(images.builds, id, by, within);
      const change = async (turn: Turn) =>
        inBatches(storage, selection, turn, async (ids) => {
          for (const id of ids) await unlessGone(remove(id, turn));
        });
      // Who names an image is looked for among all rules.
      await (cascade ? reading.change(exchange, change) : changeSelected(selected, exchange, change));
      response.json(dialect.answer(204, ''));
    },
  };
}

/** One that somebody else has deleted meanwhile is what was asked for. */
async function unlessGone(removing: Promise<void>): Promise<void> {
  try {
    await removing;
  } catch (error) {
    if (!(error instanceof BuildError && error.code === 'not-found')) throw error;
  }
}

type OwnedImage = Pick<Image, 'name' | 'organization'>;

function imagesOf({ organization, images }: Build): readonly OwnedImage[] {
  return images.map(({ name }) => ({ name, ...(organization !== undefined && { organization }) }));
}

/** @param removed  of one owner: all rules are looked at once for them together */
async function requireUnnamedImages(
  { images, rules }: BuildRouteParts,
  removed: readonly OwnedImage[],
  { scope, turn }: Removing,
): Promise<void> {
  await requireUnnamed(removed, { images, rules }, { scope, turn, remedy: ' first' });
}
