"""One thread that always works on the newest item."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from threading import Thread
from typing import Generic
from typing import TypeVar

_Item = TypeVar('_Item')


class LatestWorker(Generic[_Item]):
    """Calls ``work`` with the newest item; an older one that still waits is dropped."""

    def __init__(self, work: Callable[[_Item], None], *, name: str) -> None:
        """Start the thread; ``work`` handles its own exceptions."""
        self.dropped = 0
        self._work = work
        self._slot: _Item | None = None
        self._stopping = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: _Item) -> None:
        """Hand over an item; never blocks for the work."""
        with self._changed:
            if self._slot is not None:
                self.dropped += 1
            self._slot = item
            self._changed.notify()

    def stop(self) -> None:
        """Finish the item in work, drop the waiting one and join the thread."""
        with self._changed:
            self._stopping = True
            self._slot = None
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._slot is not None)
                item, self._slot = self._slot, None
            if item is None:
                return
            self._work(item)
            del item
