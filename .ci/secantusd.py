"""secantusd-py, without a fault that stalls it under minutes of load.

The thread that starts the server reads its tables and then only waits; the one that takes expired documents away rests for a
minute at a time. Both leave WiredTiger cursors positioned, which hold on to a snapshot. Whatever is written meanwhile cannot
leave the cache for good, so that pages grow until every access waits for them. Here both let go of it.
"""

import functools
import sys

from secantus.cli import main
from secantus.storage import Storage


def letting_go(method):
    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        finally:
            self.release_thread_snapshot()

    return wrapped


for name in ("ensure_oplog_bootstrap", "prune_ttl_all_collections"):
    setattr(Storage, name, letting_go(getattr(Storage, name)))

if __name__ == "__main__":
    sys.exit(main())
