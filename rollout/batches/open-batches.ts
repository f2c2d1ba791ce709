import { randomUUID } from 'node:crypto';
import {
  type BatchId,
  type CpeId,
  type Logger,
  type MonotonicClock,
  type OperationId,
  type OrganizationId,
  type Turn,
} from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { type Build, BuildError } from '../../firmware/index.js';
import { OrganizationError, requiringOrganization } from '../../organizations/index.js';
import { InvalidRuleError, type OwnedRules, type Rules } from '../../rules/index.js';
import { type OperationLedger, operationIdOf, type Operations } from '../operations/index.js';
import { type Aim, Aims, buildOf } from './aims.js';
import { type Batch, type BatchState, type Progress } from './batch.js';
import { fleetRule, MeantImages, sentOf } from './batch-rules.js';
import { BatchStore, ownerOf, shown } from './batch-store.js';
import { type Batches, BatchError, type BatchFilter, type NewBatch, type RetryFilter } from './batches.js';
import { Cancelling, notFound, type UnderWay } from './cancelling.js';
import { Ending } from './ending.js';
import { batchFields, ofRule } from './fields.js';
import { Hold } from './hold.js';
import { Housekeeping } from './housekeeping.js';
import { Maker, type MakerParts } from './maker.js';
import { Removing } from './removing.js';
import { busy, Retrying } from './retrying.js';
import { batchState, endOfWaiting } from './state.js';
import { Strays } from './strays.js';
import { type Calling, BatchWaking } from './waking.js';
import type { Store } from '../../store/index.js';
import type { Clock } from '../../common/index.js';
