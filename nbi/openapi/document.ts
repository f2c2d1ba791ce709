import { dynPaths } from './dyn-paths.js';
import { imagePaths, methodPaths, ownPaths } from './other-paths.js';
import { rulePaths, ruleSchemas } from './rule-paths.js';
import { schemas } from './schemas.js';

/** The northbound API as OpenAPI 3.1; a test holds it against the routes and their answers. */
export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Ferry northbound API',
    version: '1',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description:
      'Upgrade rules, the results of upgrades, CPEs and firmware images. Viewers may read; operators may also change. Bodies are JSON in UTF-8 of at most 16 MiB and 32 levels; a key that comes twice is refused.',
  },
  security: [{ basic: [] }],
  paths: { ...dynPaths, ...methodPaths, ...rulePaths, ...imagePaths, ...ownPaths },
  components: {
    securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
    schemas: { ...schemas, ...ruleSchemas },
  },
} as const;
