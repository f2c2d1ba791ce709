import type { Upgrades } from '../../acs/index.js';
import { type Clock, DAY_MS } from '../../common/index.js';
import { type Collected, collectImages, type ImageLibrary } from '../../firmware/index.js';
import { type Batches, usesOfImages } from '../../rollout/index.js';
import type { Rules } from '../../rules/index.js';
import {
  actorOf,
  failures,
  jsonAnswer,
  objectBody,
  type Reading,
  type Route,
  ref,
  route,
  scopeOf,
} from '../http/index.js';
import { type MethodAnswer, methodDialect, sendAnswer } from './dialect.js';
import { detailsSchema } from './rule-request.js';

const DAYS_DEFAULT = 90;
const DAYS_MAX = 10_000;
const NEWEST_MAX = 1_000;
/** Of what goes and of what stays, each. */
const LISTED_MAX = 1_000;

export interface CollectParts {
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly upgrades: Pick<Upgrades, 'scan'>;
  readonly batches: Pick<Batches, 'get'>;
  readonly clock: Clock;
  readonly reading: Reading;
}

/** `POST /v1/method/CollectImages` */
export function collectImagesRoute({
  images,
  rules,
  upgrades,
  batches,
  clock,
  reading,
}: CollectParts): Route {
  return route({
    method: 'POST',
    path: '/v1/method/CollectImages',
    role: 'operator',
    concerns: 'organizations',
    operationId: 'collectImages',
    summary: 'Deletes the images that nobody needs, or tells which these are',
    description:
      "Of an organization its own; else the installation's, which are shared. No image goes that a rule names, enabled or not, or an upgrade under way.",
    body: objectBody({
      properties: {
        unusedForDays: {
          type: 'integer',
          minimum: 0,
          maximum: DAYS_MAX,
          default: DAYS_DEFAULT,
          description: 'What was uploaded, or sent to a CPE, within so many days stays.',
          expected: `a whole number of days from 0 to ${DAYS_MAX}`,
        },
        keepNewest: {
          type: 'integer',
          minimum: 0,
          maximum: NEWEST_MAX,
          default: 0,
          description: 'So many of each product class and hardware version stay, the newest.',
          expected: `a whole number from 0 to ${NEWEST_MAX}`,
        },
        keepBuilds: {
          type: 'integer',
          minimum: 0,
          maximum: NEWEST_MAX,
          default: 0,
          description: 'So many builds of each category stay with all their images, the newest.',
          expected: `a whole number from 0 to ${NEWEST_MAX}`,
        },
        dryRun: {
          type: 'boolean',
          default: false,
          description: 'true: only tells what would be deleted.',
          expected: 'true or false',
        },
      },
      others: 'only unusedForDays, keepNewest, keepBuilds and dryRun',
      example: { unusedForDays: DAYS_DEFAULT, keepNewest: 3, dryRun: true },
    }),
    answers: {
      '200': jsonAnswer(
        'What was deleted, and why the others stay',
        detailsSchema(ref('CollectedImages')),
        EXAMPLE,
      ),
      ...failures('MethodAnswer', '413', '415', '507'),
    },
    async handle(exchange) {
      const { unusedForDays, keepNewest, keepBuilds, dryRun } = await exchange.body();
      const { organization } = scopeOf(exchange);
      const by = actorOf(exchange);
      const collected = await reading.long(exchange, (turn) =>
        collectImages(
          { images, uses: usesOfImages({ rules, upgrades, batches }, turn) },
          {
            ...(organization !== null && { organization: organization.id }),
            unusedMs: unusedForDays * DAY_MS,
            keepNewest,
            keepBuilds,
            dryRun,
            nowMs: clock(),
            by,
          },
        ),
      );
      sendAnswer(exchange.response, answerOf(collected, dryRun));
    },
  });
}

function answerOf({ removed, removedBuilds, kept }: Collected, dryRun: boolean): MethodAnswer {
  const details = {
    dryRun,
    removedCount: removed.length,
    keptCount: kept.length,
    removed: removed.slice(0, LISTED_MAX).map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })),
    removedBuilds: removedBuilds
      .slice(0, LISTED_MAX)
      .map(({ id, category, version }) => ({ id, category, version })),
    kept: kept.slice(0, LISTED_MAX).map(({ image: { name }, because, rules }) => ({ name, because, rules })),
  };
  return { code: 200, message: 'OK', details };
}

const EXAMPLE = methodDialect.answer(answerOf({ removed: [], removedBuilds: [], kept: [] }, true));
