import { SECOND_MS } from '../../common/index.js';
import {
  IMAGE_KEYS_MAX,
  type ImageKey,
  type ImageLibrary,
  KEY_NAME_PATTERN,
  KEY_TEXT_CHARACTERS_MAX,
} from '../../firmware/index.js';
import {
  type Answer,
  type Api,
  ApiError,
  type Authentication,
  actorOf,
  closedQuery,
  dynDialect,
  failures,
  type JsonObject,
  jsonAnswer,
  objectBody,
  type Parameter,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';

const LIST_PATH = '/v1/image-keys';
const KEY_PATH = '/v1/image-keys/{name}';
const dialect = dynDialect('image-keys');

const NAME = {
  name: 'name',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: KEY_NAME_PATTERN.source },
} as const satisfies Parameter;

/** `/v1/image-keys`: the public keys by which signatures of images are verified. */
export function imageKeyApi(
  { images }: { readonly images: ImageLibrary },
  authentication: Authentication,
): Api {
  return {
    name: 'image-keys',
    description: 'The public keys that signatures of images are verified by.',
    prefixes: [LIST_PATH],
    slashes: 'either',
    authentication,
    dialect,
    routes: [listRoute(images), addRoute(images), removeRoute(images)],
  };
}

function listRoute(images: ImageLibrary): Route {
  return route({
    method: 'GET',
    path: LIST_PATH,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listImageKeys',
    summary: 'Lists the public keys by which images are verified, by name',
    description:
      "Of an organization: its own, and those of the installation, which hold for all organizations' images.",
    query: closedQuery(),
    answers: {
      '200': jsonAnswer('The keys', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('ImageKey') } } }],
      }),
      ...failures('Answer'),
    },
    async handle(exchange) {
      const scope = scopeOf(exchange);
      const { keys: holding } = await images.keys.holdingFor(scope.organization?.id);
      exchange.response.json(
        dialect.answer(
          200,
          holding.map((key) => keyView(key, scope)),
        ),
      );
    },
  });
}

function addRoute(images: ImageLibrary): Route {
  return route({
    method: 'PUT',
    path: KEY_PATH,
    parameters: [NAME],
    role: 'admin',
    concerns: 'organizations',
    operationId: 'addImageKey',
    summary: 'Adds a public key by which images are verified',
    description: `Without an organization it is the installation's, and holds for all images. An owner has at most ${IMAGE_KEYS_MAX} keys.`,
    query: closedQuery(),
    body: objectBody({
      required: ['publicKey'],
      properties: {
        publicKey: {
          type: 'string',
          minLength: 1,
          maxLength: KEY_TEXT_CHARACTERS_MAX,
          description:
            'The file that minisign, usign or signify has made, or its line with the key; of Ed25519 a PEM (SPKI), or its 32 bytes in base64.',
          expected: `a public key of at most ${KEY_TEXT_CHARACTERS_MAX} characters`,
        },
      },
      others: 'only publicKey',
      example: { publicKey: 'RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3' },
    }),
    answers: {
      '200': keyAnswer('The key was there already'),
      '201': keyAnswer('Added'),
      ...failures('Answer', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { parameters, response } = exchange;
      const scope = scopeOf(exchange);
      const { publicKey: text } = await exchange.body();
      const added = { name: parameters.name, text, organization: scope.organization?.id };
      const { key, outcome } = await images.keys.add(added, actorOf(exchange));
      const code = outcome === 'created' ? 201 : 200;
      response.status(code).json(dialect.answer(code, keyView(key, scope)));
    },
  });
}

function removeRoute(images: ImageLibrary): Route {
  return route({
    method: 'DELETE',
    path: KEY_PATH,
    parameters: [NAME],
    role: 'admin',
    concerns: 'organizations',
    operationId: 'removeImageKey',
    summary: 'Removes a public key: what was signed by it counts as unsigned from now on',
    query: closedQuery(),
    answers: {
      '200': jsonAnswer('Removed', ref('Answer'), dialect.answer(204, '')),
      ...failures('Answer', '404', '507'),
    },
    async handle(exchange) {
      const { parameters, response } = exchange;
      const organization = scopeOf(exchange).organization?.id;
      if (!(await images.keys.remove(parameters.name, actorOf(exchange), organization)))
        throw new ApiError(404);
      response.json(dialect.answer(204, ''));
    },
  });
}

/** Users of an organization are told of a key of the installation that it is one, and not who has added it. */
function keyView(key: ImageKey, { organization, isInstallation, organizations }: Scope): JsonObject {
  const { name, algorithm, keyId, publicKey, addedAtMs, addedBy, organization: owner } = key;
  const isShared = owner === undefined && organization !== null;
  return {
    name,
    algorithm,
    keyId,
    publicKey,
    added: Math.floor(addedAtMs / SECOND_MS),
    ...((isInstallation || !isShared) && { addedBy }),
    ...(isShared && { shared: true }),
    ...(isInstallation && owner !== undefined && { organization: organizations.labelOf(owner) }),
  };
}

function keyAnswer(description: string): Answer {
  return jsonAnswer(description, { allOf: [ref('Answer'), { properties: { details: ref('ImageKey') } }] });
}

/** The shape of a key, under `#/components/schemas`. */
export const imageKeySchemas = {
  ImageKey: {
    type: 'object',
    required: ['name', 'algorithm', 'keyId', 'publicKey', 'added'],
    properties: {
      name: { type: 'string' },
      algorithm: {
        enum: ['minisign', 'ed25519'],
        description:
          'minisign: with a number, as minisign, usign and signify write it; ed25519: the key alone.',
      },
      keyId: {
        type: 'string',
        description: 'Its number as minisign prints it; of a key alone the beginning of its SHA-256.',
      },
      publicKey: { type: 'string', description: 'The 32 bytes of Ed25519 in base64.' },
      added: { type: 'integer', description: 'In epoch seconds.' },
      addedBy: {
        type: 'string',
        description: "Not told to users of an organization of the installation's keys.",
      },
      shared: {
        type: 'boolean',
        description:
          "True, to whoever sees an organization's keys: it is the installation's, and holds for all.",
      },
      organization: {
        type: 'string',
        description: 'The slug of the organization that it belongs to; told to users of the installation.',
      },
    },
  },
} as const;
