import { SECOND_MS } from '../../common/index.js';
import {
  type CpeUpgrade,
  ruleNameOf,
  type SystemUpdate,
  SystemUpdateError,
  type SystemUpdateState,
} from '../../rollout/index.js';
import { organizationOf } from '../../rules/index.js';
import {
  type Answer,
  ApiError,
  actorOf,
  type Exchange,
  jsonAnswer,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { DEVICE, deviceFailures, deviceOf, SERVICE_PATH, type SystemUpdateParts } from './parts.js';
import type { UPDATE_STATES } from './service-definitions.js';

type UpdateState = (typeof UPDATE_STATES)[number];

const UPDATE_PATH = `${SERVICE_PATH}/update` as const;

/** `update`, and what can be done with it. */
export function updateRoutes(parts: SystemUpdateParts): readonly Route[] {
  const { systemUpdates, reading } = parts;
  return [
    route({
      method: 'GET',
      path: UPDATE_PATH,
      parameters: [DEVICE],
      role: 'viewer',
      concerns: 'organizations',
      operationId: 'getSystemUpdate',
      summary: 'Tells where the update of the device is, and what it was updated to before',
      description:
        'What any other API, or a rule, has sent the device is told as well; what waits by others is not before it is sent.',
      answers: { '200': UPDATE_ANSWER, ...deviceFailures() },
      async handle(exchange) {
        const device = await deviceOf(parts, exchange);
        const update = await worded(exchange, () => systemUpdates.of(device.id));
        exchange.response.json(updateView(update, scopeOf(exchange)));
      },
    }),
    changeRoute(parts, 'init', {
      operationId: 'initializeSystemUpdate',
      summary: 'Has the newest image that fits the device made ready',
      description:
        'In the background: it is INITIALIZING until the image was looked at and its content read. Only while it is IDLE.',
      change: async (exchange, cpeid) =>
        reading.change(exchange, (turn) => systemUpdates.initialize(cpeid, actorOf(exchange), turn)),
    }),
    changeRoute(parts, 'start', {
      operationId: 'startSystemUpdate',
      summary: 'Starts the update that was made ready',
      description:
        'The device is called for it, and gets the image when it comes. Only while it is INITIALIZED.',
      change: (exchange, cpeid) => systemUpdates.start(cpeid, actorOf(exchange)),
    }),
    changeRoute(parts, 'reset', {
      operationId: 'resetSystemUpdate',
      summary:
        'Puts away what was made ready, or has failed, and withdraws what was started and not sent yet',
      description:
        'What runs goes on, and what another API has waiting is withdrawn there (409, naming whose it is).',
      change: (exchange, cpeid) => systemUpdates.reset(cpeid, actorOf(exchange)),
    }),
  ];
}

interface Change {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  change(exchange: Exchange, cpeid: Awaited<ReturnType<typeof deviceOf>>['id']): Promise<void>;
}

function changeRoute(
  parts: SystemUpdateParts,
  name: 'init' | 'start' | 'reset',
  { change, ...declared }: Change,
): Route {
  return route({
    method: 'POST',
    path: `${UPDATE_PATH}/${name}`,
    parameters: [DEVICE],
    role: 'operator',
    concerns: 'organizations',
    ...declared,
    answers: { '204': { description: 'Done' }, ...deviceFailures('409', '507') },
    async handle(exchange) {
      const { id } = await deviceOf(parts, exchange);
      await worded(exchange, () => change(exchange, id));
      exchange.response.status(204).end();
    },
  });
}

const STATES = {
  idle: 'IDLE',
  initializing: 'INITIALIZING',
  initialized: 'INITIALIZED',
  running: 'RUNNING',
  failed: 'FAILED_GRACEFUL',
  lost: 'FAILED_CRITICAL',
} as const satisfies Readonly<Record<SystemUpdateState, UpdateState>>;

function updateView(update: SystemUpdate, scope: Scope) {
  const { state, sinceMs, targetVersion, history } = update;
  return {
    state: STATES[state],
    state_description: describedState(update, scope),
    last_state_time: secondsOf(sinceMs),
    ...(targetVersion !== null && { target_version: targetVersion }),
    update_history: history.map(({ version, atMs }) => ({
      time: secondsOf(atMs),
      ...(version !== null && { version }),
    })),
  };
}

function secondsOf(atMs: number): number {
  return Math.floor(atMs / SECOND_MS);
}

function describedState({ state, problem, running, isWaiting }: SystemUpdate, scope: Scope): string {
  switch (state) {
    case 'idle':
      return 'No update is made ready or under way';
    case 'initializing':
      return 'The image is being looked at and its content read';
    case 'initialized':
      return 'An image is ready: start the update';
    case 'running':
      if (isWaiting) return 'Started; the device gets the image when it comes';
      return running === null ? 'Under way' : `Under way: ${stageText(running)}${begunBy(running, scope)}`;
    case 'failed':
      return `Failed, and the device runs what it ran before: ${problem ?? 'it is not known why'}`;
    case 'lost':
      return `The device was not heard of again: ${problem ?? 'it is not known why'}`;
    default:
      return state satisfies never;
  }
}

function stageText({ stage }: CpeUpgrade): string {
  return stage === 'transferred' ? 'the device has the image and installs it' : 'the image is being sent';
}

function begunBy(upgrade: CpeUpgrade, scope: Scope): string {
  return upgrade.through === 'system-update' ? '' : ` (by ${ownerText(upgrade, scope)})`;
}

/** Whose an upgrade is, as whoever asks may know it: what another organization calls its own is no business of theirs. */
function ownerText({ batch, through, ruleId }: CpeUpgrade, { organization, organizations }: Scope): string {
  const owner = ruleId === null ? undefined : organizationOf(ruleId);
  if (organization !== null && owner !== undefined && owner !== organization.id) return 'somebody else';
  if (batch !== null) return `the batch ${batch}${through === null ? '' : ` of the API ${through}`}`;
  if (ruleId === null) return 'a rule that is gone';
  const { id, organization: slug, of } = ruleNameOf(ruleId, organization, organizations);
  if (of !== undefined) return `the rule ${id} of the installation`;
  return `the rule ${id}${slug === undefined ? '' : ` of the organization ${slug}`}`;
}

/** @throws ApiError 409 in words, 404 where the device is gone */
async function worded<T>(exchange: Exchange, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SystemUpdateError ? refusal(error, scopeOf(exchange)) : error;
  }
}

function refusal({ code, state, owner }: SystemUpdateError, scope: Scope): ApiError {
  const whose = owner === null ? '' : `: ${ownerText(owner, scope)} has it`;
  const found = STATES[state];
  switch (code) {
    case 'not-idle':
      return conflict(
        'update-state',
        `an update that is IDLE: it is ${found}${whose}; reset it first where that can be`,
      );
    case 'not-initialized':
      return conflict('update-state', `an update that is INITIALIZED: it is ${found}${whose}`);
    case 'no-image':
      return conflict(
        'no-image',
        state === 'initialized'
          ? 'an image that is there for the device: the one that was made ready is not any more; reset the update'
          : 'a valid image that fits the device: upload one',
      );
    case 'not-enrolled':
      return conflict('not-enrolled', 'a device that is enrolled: approve it first');
    case 'not-own':
      return conflict(
        'not-own',
        owner === null || owner.stage === 'waiting'
          ? `an update of this API${whose}: withdraw it there`
          : `an update that has not been sent: it is ${found}${whose}, and goes on`,
      );
    case 'no-device':
      return new ApiError(404, [
        { field: 'device', code: 'unknown-device', expected: 'a CPE that there is' },
      ]);
    default:
      return code satisfies never;
  }
}

function conflict(code: string, expected: string): ApiError {
  return new ApiError(409, [{ field: 'update', code, expected }]);
}

const UPDATE_ANSWER: Answer = jsonAnswer('It', ref('SystemUpdate'));
