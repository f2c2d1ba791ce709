import { Registry } from 'prom-client';
import { type ApiParts, describeApis, nbiApis } from '../../nbi/apis.js';
import type { Api, Schema } from '../../nbi/http/index.js';
import { NBI_LIMITS } from '../../nbi/index.js';

// Nothing is asked of the parts before a request comes.
const PARTS = {
  limits: NBI_LIMITS,
  metrics: new Registry(),
  sessions: { of: () => ({}) },
  organizations: {},
} as unknown as ApiParts;

/** The APIs as they are declared; none of their routes can be called. */
export const APIS: readonly Api[] = nbiApis(PARTS);

/** Of all but those that say so. */
const AUTHENTICATION = APIS.find(({ name }) => name === 'images')?.authentication ?? {
  schemes: [],
  authenticate: () => Promise.reject(),
};

/** What `/v1/openapi.json` says. */
export const openApiDocument = describeApis(APIS, AUTHENTICATION) as ReturnType<typeof describeApis> & {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
