import type { Registry } from 'prom-client';
import type {
  Approvals,
  ConnectionRequests,
  CpeCredentials,
  Devices,
  Placements,
  Upgrades,
} from '../acs/index.js';
import type { Clock, Logger, MonotonicClock } from '../common/index.js';
import type { EventLog } from '../events/index.js';
import type { ImageLibrary, ImageUuids, Uploads } from '../firmware/index.js';
import type { Organizations } from '../organizations/index.js';
import type {
  Batches,
  CpeUpgrades,
  DeviceSlots,
  FittingImages,
  Operations,
  SystemUpdates,
} from '../rollout/index.js';
import type { Rules } from '../rules/index.js';
import { batchApi, batchSchemas } from './batches/index.js';
import { addressedDevices } from './device-apis/index.js';
import { dynApis, dynSchemas } from './dyn/index.js';
import { type FirmwareSlotsOptions, firmwareSlotsApi, firmwareSlotsSchemas } from './firmware-slots/index.js';
import {
  firmwareUpgraderApi,
  type UpgradeParts,
  type UpgraderOptions,
  upgraderSchemas,
} from './firmware-upgrader/index.js';
import { type HealthChecks, healthApi, healthSchemas } from './health.js';
import {
  type Api,
  type Authentication,
  answerSchemas,
  anyOf,
  basicAuthentication,
  bearerAuthentication,
  Reading,
  sessionAuthentication,
} from './http/index.js';
import { imageKeyApi, imageKeySchemas } from './image-keys/index.js';
import { downloadPlaces, imageApi, imageSchemas } from './images/index.js';
import type { NbiLimits } from './limits.js';
import { methodAnswerSchemas, methodApi, methodSchemas } from './method/index.js';
import { metricsApi } from './metrics.js';
import { openApiApi, openApiBytes, openApiDocument } from './openapi/index.js';
import { pageApis } from './pages/index.js';
import { scCloudApi } from './sc-cloud/index.js';
import { schemaApi } from './schemas.js';
import { sessionApis, sessionSchemas, type UserSessions } from './sessions/index.js';
import { systemUpdateApi, systemUpdateSchemas } from './system-update/index.js';
import { uploadApi, uploadPlaces, uploadSchemas } from './uploads/index.js';
import type { Users } from './users/index.js';

export interface ApiParts extends UpgradeParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly upgrades: Upgrades;
  readonly connectionRequests: ConnectionRequests;
  readonly approvals: Pick<Approvals, 'approve'>;
  readonly credentials: CpeCredentials;
  readonly organizations: Organizations;
  readonly placements: Placements;
  readonly images: ImageLibrary;
  /** By which the firmware upgrader's API names them. */
  readonly imageUuids: ImageUuids;
  readonly uploads: Uploads;
  readonly batches: Batches;
  /** What became of each CPE of a batch. */
  readonly operations: Operations;
  /** The upgrades of single CPEs, whoever began them. */
  readonly cpeUpgrades: CpeUpgrades;
  /** The places for firmware of single CPEs. */
  readonly deviceSlots: DeviceSlots;
  /** What a CPE could be updated to, and its update. */
  readonly fitting: FittingImages;
  readonly systemUpdates: SystemUpdates;
  /** What is said there of who has done what. */
  readonly events: EventLog;
  readonly users: Users;
  /** Of pages; `of` gives those of another kind. */
  readonly sessions: UserSessions;
  /** What `/metrics` shows; the NBI adds its own. */
  readonly metrics: Registry;
  /** What `/metrics` shows where it is more than this process's own. */
  readonly allMetrics?: () => Promise<string>;
  readonly health: HealthChecks['health'];
  readonly ready: HealthChecks['ready'];
  /** Of Ferry. */
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How the firmware upgrader's API answers; as the reference unless told. */
  readonly firmwareUpgrader?: UpgraderOptions;
  /** How the API of firmware slots answers; as a box that nobody has set up otherwise unless told. */
  readonly firmwareSlots?: FirmwareSlotsOptions;
  /** For what elapses; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  readonly limits: NbiLimits;
}

/** The APIs that the northbound side serves; where the prefixes of two fit a path, the first takes it. */
export function nbiApis(parts: ApiParts): readonly Api[] {
  const { users, metrics, allMetrics = () => metrics.metrics() } = parts;
  const authentication = anyOf(
    [bearerAuthentication(users), sessionAuthentication(users, parts.sessions)],
    basicAuthentication(users),
  );
  const read = { ...parts, addressed: addressedDevices(parts), reading: new Reading(parts.limits) };
  const content = {
    ...read,
    places: uploadPlaces(parts.limits),
    downloads: downloadPlaces(parts.limits),
  };
  const document = openApiBytes(() => describeApis(apis, authentication));
  const apis: readonly Api[] = [
    ...dynApis(read, authentication),
    methodApi(read, authentication),
    imageApi(content, authentication),
    imageKeyApi(read, authentication),
    uploadApi(content, authentication),
    batchApi(read, authentication),
    firmwareUpgraderApi(content),
    // Before what takes the rest of a device's own API.
    systemUpdateApi({
      ...content,
      sessions: parts.sessions.of('system-update'),
      organizations: { current: () => parts.organizations.directory.current() },
    }),
    firmwareSlotsApi(content),
    scCloudApi(content),
    ...sessionApis(parts, authentication),
    schemaApi(authentication),
    healthApi(parts, authentication),
    metricsApi(metrics, allMetrics, authentication, {
      lists: () => read.reading.underWay,
      hashing: () => users.hashing,
      'log-ins-waiting': () => users.waitingForHash,
    }),
    openApiApi(document, authentication),
    ...pageApis(parts, document, authentication),
  ];
  return apis;
}

/** The OpenAPI document of these APIs. */
export function describeApis(apis: readonly Api[], authentication: Authentication) {
  return openApiDocument({ apis, authentication, description: DESCRIPTION, schemas: SCHEMAS });
}

const DESCRIPTION =
  'Upgrade rules, the results of upgrades, CPEs and firmware images. Viewers may read; operators may also change. Bodies are JSON in UTF-8 of at most 16 MiB (256 KiB for methods) and 32 levels; a key that comes twice is refused.';

const SCHEMAS = {
  ...dynSchemas,
  ...imageSchemas,
  ...uploadSchemas,
  ...batchSchemas,
  ...imageKeySchemas,
  ...sessionSchemas,
  ...answerSchemas,
  ...upgraderSchemas,
  ...firmwareSlotsSchemas,
  ...systemUpdateSchemas,
  ...methodAnswerSchemas,
  ...healthSchemas,
  ...methodSchemas,
};
