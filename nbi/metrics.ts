import type { Registry } from 'prom-client';
import {
  type Api,
  type Authentication,
  dynDialect,
  failures,
  type PlacesInUse,
  route,
} from './http/index.js';

/**
 * `GET /metrics`: what Prometheus reads.
 * @param render  the text, where it is more than this process's own
 * @param placesInUse  of what is no API's own
 */
export function metricsApi(
  { contentType }: Pick<Registry, 'contentType'>,
  render: () => Promise<string>,
  authentication: Authentication,
  placesInUse: PlacesInUse,
): Api {
  const metrics = route({
    method: 'GET',
    path: '/metrics',
    role: 'viewer',
    concerns: 'installation',
    quiet: true,
    operationId: 'metrics',
    summary: 'Metrics for Prometheus',
    answers: {
      '200': {
        description: 'Prometheus text format',
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
      ...failures('Answer'),
    },
    async handle({ response }) {
      response.type(contentType).send(await render());
    },
  });
  return {
    name: 'metrics',
    description: 'What Prometheus reads.',
    prefixes: ['/metrics'],
    slashes: 'either',
    authentication,
    dialect: dynDialect('metrics'),
    routes: [metrics],
    placesInUse,
  };
}
