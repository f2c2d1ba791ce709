import {
  type Api,
  type Authentication,
  dynDialect,
  jsonAnswer,
  openFailures,
  type Route,
  ref,
  route,
} from './http/index.js';

export type HealthStatus = 'ok' | 'failing';
/** `degraded`: someone should look at it, but no load balancer need send anyone elsewhere. */
export type PartStatus = HealthStatus | 'degraded';

/** Whether this process can do its work; `parts` by name (`store`, `cwmp` …). Anyone may read it, so it says no more. */
export interface Health {
  readonly status: HealthStatus;
  readonly parts: Readonly<Record<string, PartStatus>>;
}

/** What the probes ask. Each resolves however the parts are; one that rejects counts as failing. */
export interface HealthChecks {
  /** Every part of the work, done here or elsewhere. */
  readonly health: () => Promise<Health>;
  /** Whether CPEs may be sent to this process. */
  readonly ready: () => Promise<Health>;
}

/** `GET /healthz`, `/readyz` and `/livez`. However many ask at once, the parts are asked once. */
export function healthApi(checks: HealthChecks, authentication: Authentication): Api {
  const health = sharedCheck(checks.health);
  const ready = sharedCheck(checks.ready);
  return {
    name: 'healthz',
    description: 'Whether this process does its work, for load balancers and monitors.',
    prefixes: ['/healthz', '/livez', '/readyz'],
    slashes: 'either',
    authentication,
    dialect: dynDialect('healthz'),
    routes: [
      probe('/healthz', {
        operationId: 'health',
        summary: 'Tells whether this process can do its work',
        yes: 'It can',
        no: 'A part is failing',
        check: health,
      }),
      probe('/readyz', {
        operationId: 'readiness',
        summary: 'Tells whether CPEs may be sent to this process',
        yes: 'They may',
        no: 'Not yet, not any more, or not now',
        check: ready,
      }),
      probe('/livez', {
        operationId: 'liveness',
        summary: 'Tells that this process turns',
        yes: 'It does; where it does not nothing is answered',
        check: async () => ({ status: 'ok', parts: { process: 'ok' } }),
      }),
    ],
  };
}

interface Probe {
  readonly operationId: string;
  readonly summary: string;
  readonly yes: string;
  /** Without it there is no other answer. */
  readonly no?: string;
  readonly check: () => Promise<Health>;
}

function probe(path: string, { operationId, summary, yes, no, check }: Probe): Route {
  return route({
    method: 'GET',
    path,
    role: null,
    concerns: 'everyone',
    quiet: true,
    operationId,
    summary,
    answers: {
      '200': jsonAnswer(yes, ref('Health'), { status: 'ok', parts: { [partShown(path)]: 'ok' } }),
      ...openFailures('Answer'),
      ...(no !== undefined && {
        '503': jsonAnswer(`${no}; or too much is under way`, { anyOf: [ref('Health'), ref('Answer')] }),
      }),
    },
    async handle({ response }) {
      const health = await check();
      response.status(health.status === 'ok' ? 200 : 503).json(health);
    },
  });
}

function partShown(path: string): string {
  return path === '/healthz' ? 'store' : 'process';
}

/** Who asks while somebody is being told is told the same; what rejects is failing. */
function sharedCheck(check: () => Promise<Health>): () => Promise<Health> {
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
  return () => {
    underWay ??= checkOnce();
    return underWay;
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
