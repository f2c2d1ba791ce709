import type { ExecutionContext } from 'ava';
import type { Collection, Store } from '../../../store/index.js';
import type { Thing } from '../things.js';

/** Registers one test: `act` gets an empty collection of {@link THINGS} in a store of its own, which is closed after. */
export type Rule = (
  title: string,
  act: (t: ExecutionContext, things: Collection<Thing>, store: Store) => Promise<void>,
) => void;

/** A store and its collection of {@link THINGS}, as one node has it. */
export interface Node {
  readonly store: Store;
  readonly things: Collection<Thing>;
}

/** Registers one test: `act` gets two nodes on one empty store. */
export type PairRule = (
  title: string,
  act: (t: ExecutionContext, here: Node, there: Node) => Promise<void>,
) => void;
