import {
  type Api,
  ApiError,
  type Authentication,
  type BodyKind,
  closedQuery,
  type Dialect,
  jsonAnswer,
  objectBody,
  queryParameter,
  renderJson,
  route,
} from '../../../nbi/http/index.js';
import { UnknownPathError } from '../../../nbi/http/routing-errors.js';

// An API that is nothing like Ferry's own: of a framework that redirects to a slash, words errors in `detail`, answers unknown paths
// in HTML, lets users in by a token, and takes forms.

const TOKENS: ReadonlyMap<string, 'viewer' | 'operator'> = new Map([
  ['reading', 'viewer'],
  ['writing', 'operator'],
]);

const tokens: Authentication = {
  schemes: [{ name: 'token', description: { type: 'http', scheme: 'bearer' } }],
  async authenticate(request, { role }) {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    const found = token === undefined ? undefined : TOKENS.get(token);
    if (token === undefined || found === undefined) {
      const expected = token === undefined ? 'Log in.' : 'Invalid token.';
      throw new ApiError(401, [{ field: 'Authorization', expected }], { 'WWW-Authenticate': 'Bearer' });
    }
    if (found === 'viewer' && role !== 'viewer') throw new ApiError(403, [{ field: '', expected: 'No.' }]);
    return { name: token, role: found, how: 'password' };
  },
};

const dialect: Dialect = {
  error(error, { request, allow }) {
    if (error instanceof UnknownPathError) {
      return { headers: { 'Content-Type': 'text/html' }, body: '<h1>Not Found</h1>' };
    }
    const told = allow === null ? {} : { Allow: `${allow}, OPTIONS` };
    const [problem] = error.problems;
    const detail =
      error.status === 405 ? `Method "${request.method}" not allowed.` : (problem?.expected ?? 'Failed.');
    return {
      ...renderJson({ detail, field: problem?.field }),
      headers: { 'Content-Type': 'application/json', ...told },
    };
  },
};

const form: BodyKind<URLSearchParams> = {
  content: { 'application/x-www-form-urlencoded': { schema: { type: 'object' } } },
  heldBytesMax: ({ bytes }) => bytes,
  async read({ request }) {
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') {
      throw new ApiError(415, [{ field: 'Content-Type', expected: 'a form' }]);
    }
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return new URLSearchParams(text);
  },
};

const PATH = '/shop/{shop}/shelf/{shelf}/';
const answers = { '200': jsonAnswer('It is', { type: 'object' }) };

const shelf = route({
  method: 'GET',
  path: PATH,
  role: 'viewer',
  concerns: 'everyone',
  operationId: 'shelf',
  summary: 'A shelf',
  query: closedQuery(
    queryParameter('depth', 'How deep.', {
      type: 'integer',
      maximum: 3,
      default: 1,
      expected: 'a depth up to 3',
    }),
    queryParameter('lit', 'Whether it is lit.', { type: 'boolean', expected: 'true or false' }),
    queryParameter('word', 'Anything.'),
  ),
  answers,
  async handle({ response, parameters: { shop, shelf: name }, query: { depth, lit = false, word } }) {
    // Their types are those of the declaration.
    response.json({ shop, shelf: name, deeper: depth + 1, lit: lit ? 'yes' : 'no', word: word?.length });
  },
});

const change = route({
  method: 'PATCH',
  path: PATH,
  role: 'operator',
  concerns: 'everyone',
  operationId: 'change',
  summary: 'Changes a shelf',
  body: form,
  answers,
  async handle({ response, parameters, user, body }) {
    const fields = await body();
    response.json({ ...parameters, by: user?.name, ...Object.fromEntries(fields) });
  },
});

const count = route({
  method: 'REPORT',
  path: PATH,
  role: 'viewer',
  concerns: 'everyone',
  operationId: 'count',
  summary: 'Counts what is on a shelf',
  body: objectBody({
    properties: {
      words: {
        type: 'array',
        items: { type: 'string', maxLength: 3, expected: 'a word of at most 3 letters' },
        maxItems: 2,
        untold: ['maxItems'],
        expected: 'at most 2 words',
      },
      inside: {
        type: 'object',
        properties: { deep: { type: 'boolean', expected: 'yes or no' } },
        expected: 'an object',
      },
      free: { type: 'string' },
      times: { type: 'integer', default: 2, expected: 'a number' },
    },
    required: ['words'],
    example: { words: ['one'] },
  }),
  answers,
  async handle({ response, body }) {
    const { words, times, free } = await body();
    response.json({ letters: words.join('').length * times, free });
  },
});

const broken = route({
  method: 'DELETE',
  path: '/shop/{shop}',
  role: 'operator',
  concerns: 'everyone',
  operationId: 'broken',
  summary: 'Fails',
  answers,
  handle: () => Promise.reject(new Error('secret cause')),
});

export const SHOP: Api = {
  name: 'shop',
  description: 'For tests.',
  prefixes: ['/shop/'],
  slashes: 'redirected',
  authentication: tokens,
  dialect,
  routes: [shelf, change, count, broken],
};

/** The same manners under a prefix with a parameter, and slashes as they are written. */
export const STALL: Api = {
  ...SHOP,
  name: 'stall',
  description: 'For tests.',
  prefixes: ['/market/{market}/stall'],
  slashes: 'as written',
  routes: [route({ ...broken, path: '/market/{market}/stall/{stall}' })],
};
