/**
 * A range of LMDB that is let go of also where walking it fails. A cursor that failed and was not given back would keep the snapshot
 * that all reads of the process share, and that answers each of them with `MDB_BAD_TXN` from then on: one damaged page, and nothing
 * can be read any more until a restart.
 */
export function letGo<T>(range: Iterable<T>): Iterable<T> {
  return {
    [Symbol.iterator]() {
      const iterator = range[Symbol.iterator]();
      return {
        next() {
          try {
            return iterator.next();
          } catch (error) {
            iterator.return?.();
            throw error;
          }
        },
        return: (value) => iterator.return?.(value) ?? { done: true, value },
      };
    },
  };
}
