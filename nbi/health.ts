import { type Api, type Authentication, dynDialect, jsonAnswer, ref, route } from './http/index.js';

export type HealthStatus = 'ok' | 'failing';
/** `degraded`: someone should look at it, but no load balancer need send anyone elsewhere. */
export type PartStatus = HealthStatus | 'degraded';

/** Whether this process can do its work; `parts` by name (`store`, `cwmp` …). Anyone may read it, so it says no more. */
export interface Health {
  readonly status: HealthStatus;
  readonly parts: Readonly<Record<string, PartStatus>>;
}

/** `GET /healthz`: 200 or 503. However many ask at once, the parts are asked once. */
export function healthApi(check: () => Promise<Health>, authentication: Authentication): Api {
  let underWay: Promise<Health> | null = null;
  const checkOnce = async (): Promise<Health> => {
    try {
      return await check();
    } catch {
      return { status: 'failing', parts: {} };
    } finally {
      underWay = null;
    }
  };
  const healthz = route({
    method: 'GET',
    path: '/healthz',
    role: null,
    quiet: true,
    operationId: 'health',
    summary: 'Tells whether this process can do its work',
    answers: {
      '200': jsonAnswer('It can', ref('Health'), { status: 'ok', parts: { store: 'ok' } }),
      '503': jsonAnswer('A part is failing', ref('Health')),
    },
    async handle({ response }) {
      underWay ??= checkOnce();
      const health = await underWay;
      response.status(health.status === 'ok' ? 200 : 503).json(health);
    },
  });
  return {
    name: 'healthz',
    prefixes: ['/healthz'],
    slashes: 'either',
    authentication,
    dialect: dynDialect('healthz'),
    routes: [healthz],
  };
}

/** The shape of the answer, under `#/components/schemas`. */
export const healthSchemas = {
  Health: {
    type: 'object',
    required: ['status', 'parts'],
    properties: {
      status: { enum: ['ok', 'failing'] },
      parts: {
        type: 'object',
        additionalProperties: { enum: ['ok', 'degraded', 'failing'] },
        description:
          'A part that is degraded needs someone to look at it, but does its work: status stays ok.',
      },
    },
  },
} as const;
