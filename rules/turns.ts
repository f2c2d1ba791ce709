/** Runs tasks one after the other, in the order they come. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * JSONata evaluates in small asynchronous steps, so that many expressions under way would each count the others' time as their
 * own. They only compute: one after the other, none is later than it would be among the others.
 */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  };
}
