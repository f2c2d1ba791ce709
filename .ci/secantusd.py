"""secantusd-py, without two faults that stall it under minutes of load.

The thread that starts the server reads its tables and then only waits; the one that takes expired documents away rests for a
minute at a time. Both leave WiredTiger cursors positioned, which hold on to a snapshot. Whatever is written meanwhile cannot
leave the cache for good, so that pages grow until every access waits for them. Here both let go of it.

With every write that can be retried it goes through the answers that are kept for the time that it is, and sorts them once there
are 10,000. Here it looks at the oldest only.
"""

import functools
import sys

from secantus import transactions
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


for name in ("ensure_oplog_bootstrap", "prune_ttl_all_collections"):
    setattr(Storage, name, letting_go(getattr(Storage, name)))
TransactionRegistry._prune_retryable_locked = prune_oldest

if __name__ == "__main__":
    sys.exit(main())
