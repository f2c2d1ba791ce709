/** Runs tasks one after the other, in the order they come. */
export type InTurn = <T>(task: () => Promise<T>) => Promise<T>;

/** For what would only lose races with itself, such as the commits of one process that each take the next number. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  };
}
