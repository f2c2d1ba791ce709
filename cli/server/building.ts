import type { Counter, Registry } from 'prom-client';
import type { AcsOptions, AcsParts, FleetAddresses } from '../../acs/index.js';
import type { MonotonicClock } from '../../common/index.js';
import type { DutyRecords } from '../../store/index.js';
import type { Serving } from '../health.js';
import type { Ambient, Installation } from '../installation.js';
import type { Config } from '../options.js';
import type { FURTHER_ACCEPTORS } from './acceptors.js';
import type { ConnectionShares } from './descriptors.js';

export interface FerryAmbient extends Ambient {
  readonly trace?: NonNullable<AcsParts['trace']>;
  /** Takes this process's own figures; gives what `/metrics` answers, where that is not only these. */
  readonly allMetrics?: (own: Registry) => () => Promise<string>;
  /** In place of what the configuration has no word for; for tests. */
  readonly acsOptions?: Partial<AcsOptions>;
  /** In place of {@link FURTHER_ACCEPTORS}; for tests, most of which are no crowd. */
  readonly furtherAcceptors?: Readonly<Record<keyof typeof FURTHER_ACCEPTORS, number>>;
}

/** What the parts are built from, and where each says how it is let go of. */
export interface Building {
  readonly config: Config;
  readonly ambient: FerryAmbient;
  readonly installation: Installation;
  readonly monotonic: MonotonicClock;
  /** What is done for all processes, by whichever has it, and when it was last. */
  readonly duties: DutyRecords;
  readonly serving: Serving;
  /** Where the fleet is: what sessions tell, and rules ask. */
  readonly fleetAddresses: FleetAddresses;
  readonly registry: Registry;
  readonly connections: ConnectionShares;
  /** Clients that HTTP itself turns away. */
  readonly refused: Counter<'listener' | 'reason'>;
  /** Called the other way round when it stops. */
  readonly closers: (() => Promise<unknown>)[];
}
