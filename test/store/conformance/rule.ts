import type { ExecutionContext } from 'ava';
import type { Collection, Store } from '../../../store/index.js';
import type { Thing } from '../things.js';

/** Registers one test: `act` gets an empty collection of {@link THINGS} in a store of its own, which is closed after. */
export type Rule = (
  title: string,
  act: (t: ExecutionContext, things: Collection<Thing>, store: Store) => Promise<void>,
) => void;
