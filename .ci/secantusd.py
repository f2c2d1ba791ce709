"""secantusd-py, without five faults that stall it: under minutes of load, or where a client dies.

The thread that starts the server reads its tables and then only waits; the one that takes expired documents away rests for a
minute at a time. Both leave WiredTiger cursors positioned, which hold on to a snapshot. Whatever is written meanwhile cannot
leave the cache for good, so that pages grow until every access waits for them. Here both let go of it.

With every write that can be retried it goes through the answers that are kept for the time that it is, and sorts them once there
are 10,000. Here it looks at the oldest only.

A database is dropped under the lock that ends transactions need as well. Where a client has died in a transaction that wrote to
it, both wait for ever. Here such transactions end first.

Whoever ends a transaction also looks for those that nobody has used for long, and waits for each that is just doing something, with
the lock that all of them need to end. Where that one waits for a write that waits for the transaction which is to end, all three wait for ever.
Here what is doing something is not idle, and a session that ends waits for its own transaction alone.

A change of many documents that meets one which a transaction has written tries again until that transaction ends, and keeps its
collection to itself meanwhile. Where the transaction's next statement is for the same collection, both wait for ever. Here the
collection is let go of between the tries.
"""

import functools
import sys
import time

import wiredtiger
from secantus import storage, transactions
from secantus.cli import main
from secantus.storage import Storage
from secantus.transactions import TransactionRegistry


def letting_go(method):
    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        finally:
            self.release_thread_snapshot()

    return wrapped


def prune_oldest(self):
    records = self._retryable
    cutoff = self._time() - transactions._RETRYABLE_RECORD_LIFETIME_SECONDS
    while records:
        key, (_reply, stored_at, _identity) = next(iter(records.items()))
        if stored_at >= cutoff and len(records) <= transactions._RETRYABLE_RECORD_MAX:
            break
        del records[key]


def prune_idle(self):
    cutoff = self._time() - self._lifetime
    reaped = 0
    for transaction in list(self._txns.values()):
        if not transaction.mutex.acquire(blocking=False):
            continue
        try:
            if transaction.state is transactions.TxnState.IN_PROGRESS and transaction.last_use < cutoff:
                self._rollback_quietly(transaction)
                transaction.state = transactions.TxnState.ABORTED
                reaped += 1
        finally:
            transaction.mutex.release()
    return reaped


def abort_for_session(self, lsid_bytes):
    with self._lock:
        transaction = self._txns.get(lsid_bytes)
    if transaction is not None:
        self.abort_in_progress(transaction)


registries = []


def known(method):
    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        method(self, *args, **kwargs)
        registries.append(self)

    return wrapped


def ending_transactions(method):
    @functools.wraps(method)
    def wrapped(self, db):
        for registry in registries:
            for transaction in list(registry._txns.values()):
                handle = transaction.handle
                if handle is not None and any(written == db for written, _ in list(handle.written)):
                    registry.abort_in_progress(transaction)
        return method(self, db)

    return wrapped


def letting_others_write(method):
    """A chunk of a change of many, which its caller runs with the collection's lock, and which looks at each document anew."""
    once = method.__wrapped__

    @functools.wraps(once)
    def wrapped(self, db, coll, *args, **kwargs):
        while True:
            try:
                return once(self, db, coll, *args, **kwargs)
            except (storage.WriteConflictError, wiredtiger.WiredTigerError) as error:
                if not isinstance(error, storage.WriteConflictError) and not storage._is_wt_rollback(error):
                    raise
            lock = self._coll_lock(db, coll)
            lock.release()
            time.sleep(0.005)
            lock.acquire()

    return wrapped


for name in ("ensure_oplog_bootstrap", "prune_ttl_all_collections"):
    setattr(Storage, name, letting_go(getattr(Storage, name)))
for name in ("_update_chunk", "_delete_chunk"):
    setattr(Storage, name, letting_others_write(getattr(Storage, name)))
TransactionRegistry._prune_retryable_locked = prune_oldest
TransactionRegistry._prune_locked = prune_idle
TransactionRegistry.abort_for_session = abort_for_session
TransactionRegistry.__init__ = known(TransactionRegistry.__init__)
Storage.drop_database = ending_transactions(Storage.drop_database)

if __name__ == "__main__":
    sys.exit(main())
