import { dynDialect, type Route } from './http/index.js';

export type HealthStatus = 'ok' | 'failing';
/** `degraded`: someone should look at it, but no load balancer need send anyone elsewhere. */
export type PartStatus = HealthStatus | 'degraded';

/** Whether this process can do its work; `parts` by name (`store`, `cwmp` …). Anyone may read it, so it says no more. */
export interface Health {
  readonly status: HealthStatus;
  readonly parts: Readonly<Record<string, PartStatus>>;
}

/** `GET /healthz`: 200 or 503. However many ask at once, the parts are asked once. */
export function healthRoute(check: () => Promise<Health>): Route {
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
  return {
    method: 'get',
    path: '/healthz',
    role: null,
    dialect: dynDialect('healthz'),
    async handle({ response }) {
      underWay ??= checkOnce();
      const health = await underWay;
      response.status(health.status === 'ok' ? 200 : 503).json(health);
    },
  };
}
