"""Applies purchases to the windows of one kind of entity, each exactly once, whoever else writes beside us.

The order of things makes it so: a window's header names, per partition, the last offset it has applied; purchases at or
before it are left out; header, tiles and features change in one step or not at all. An entity whose write was overtaken
is read again and the same purchases are offered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from feature_repo.events.purchase import Purchase
from streaming.store.window_store import Reading, WindowStore, Writing
from streaming.windows.column_fold import FoldedWindows
from streaming.windows.state import WindowState

DEFAULT_CACHED_ENTITIES = 30_000
COLUMNS_PAY_FROM = 400
_ENTITIES_AT_ONCE = 1_000
_COLUMNS_AT_ONCE = 2_000
_ASKED_AHEAD = 2


@dataclass(slots=True)
class Applied:
    """What became of a batch of purchases.

    Attributes:
        counted: newly in a window.
        late: dated before the window's first day, known to the event log only.
        early: dated after the clock day, kept until it comes.
        duplicates: (partition, offset) of those sent a second time, left out. A first delivery that is read again after
            a crash is none of them.
        fenced: applied before, left out.
        overtaken: writes that another writer was faster with, done again.
        changes: (entity id, day of purchase) that the expiry index must know.
    """

    counted: int = 0
    late: int = 0
    early: int = 0
    duplicates: set[tuple[int, int]] = field(default_factory=set)
    fenced: int = 0
    overtaken: int = 0
    changes: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class PendingUpdates:
    """Windows on their way to Redis; whoever holds them commits them.

    Attributes:
        counts: by entity: counted, late, early, fenced.
        duplicates, changes: by entity, where there are any.
        writings: what was sent and is not answered yet.
    """

    updates: WindowUpdates
    purchases: Mapping[str, Sequence[Purchase]]
    day: int
    horizon_day: int
    counts: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    duplicates: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    changes: dict[str, set[int]] = field(default_factory=dict)
    overtaken: int = 0
    writings: list[Writing] = field(default_factory=list)

    def commit(self) -> Applied:
        """Wait until all is written; windows that others wrote meanwhile are read and folded again."""
        self.updates.finish(self)
        counted, late, early, fenced = map(sum, zip(*self.counts.values(), strict=True)) if self.counts else (0,) * 4
        return Applied(
            counted,
            late,
            early,
            {source for sources in self.duplicates.values() for source in sources},
            fenced,
            self.overtaken,
            [(entity_id, day) for entity_id, days in self.changes.items() for day in days],
        )

    def take(self, writing: Writing, folded: FoldedWindows) -> None:
        """Take note of windows that were folded by columns and sent."""
        self.writings.append(writing)
        counts = [(count, 0, 0, 0) for count in folded.new.counts.tolist()]
        self.counts.update(zip(writing.entity_ids, counts, strict=True))
        for number, day in zip(folded.tile_owner.tolist(), folded.tile_day.tolist(), strict=True):
            self.changes.setdefault(writing.entity_ids[number], set()).add(day)


class WindowUpdates:
    """Keeps windows that were touched lately in memory and brings them and Redis forward together.

    Args:
        store: where they live.
        cached_entities: how many windows to remember.
        columns_from: how many windows that are not in memory are folded by columns, if they can be.
    """

    def __init__(
        self,
        store: WindowStore,
        *,
        cached_entities: int = DEFAULT_CACHED_ENTITIES,
        columns_from: int = COLUMNS_PAY_FROM,
    ) -> None:
        self._store = store
        self._event_ids = store.window.event_ids
        self._cached_entities = cached_entities
        self._columns_from = columns_from
        self._cache: dict[str, WindowState] = {}

    def apply(self, purchases: Mapping[str, Sequence[Purchase]], day: int, horizon_day: int) -> PendingUpdates:
        """Take purchases, grouped by entity, into their windows and send what has changed, without waiting.

        Args:
            purchases: those of a partition in the order of their offsets.
            day: the clock day; every touched window is brought to it.
            horizon_day: the newest day to believe: a window follows its own purchases up to here, ahead of the clock.
        """
        pending = PendingUpdates(self, purchases, day, horizon_day)
        self._fold_by_columns(pending)
        entity_ids = [entity_id for entity_id in purchases if entity_id not in pending.counts]
        for piece, reading in self._asked_ahead(entity_ids, _ENTITIES_AT_ONCE, pending):
            self._receive(reading)
            changed = [self._cache[entity_id] for entity_id in piece if self._fold_one(entity_id, pending)]
            if changed:
                pending.writings.append(self._store.send(changed))
        return pending

    def finish(self, pending: PendingUpdates) -> None:
        """Second half of ``apply``: wait for what was sent, and do again what another writer was faster with."""
        overtaken = self._forget(self._store.settle(pending.writings))
        while overtaken:
            pending.overtaken += len(overtaken)
            self._receive(self._request(overtaken, pending.day, pending.horizon_day))
            changed = [self._cache[entity_id] for entity_id in overtaken if self._fold_one(entity_id, pending)]
            overtaken = self._forget(self._store.write(changed))
        self._trim()

    def _fold_by_columns(self, pending: PendingUpdates) -> None:
        """Fold what came for windows that are plain and not in memory; the others are in memory then."""
        entity_ids = [entity_id for entity_id in pending.purchases if entity_id not in self._cache]
        if len(entity_ids) < self._columns_from or not self._store.window.has_columns:
            return
        for piece, reading in self._asked_ahead(entity_ids, _COLUMNS_AT_ONCE, pending):
            purchases = [pending.purchases[entity_id] for entity_id in piece]
            folded, writing, others = self._store.fold(reading, purchases, pending.horizon_day)
            self._cache.update((state.entity_id, state) for state in others)
            if folded is not None:
                pending.take(writing, folded)

    def _asked_ahead(
        self, entity_ids: list[str], at_once: int, pending: PendingUpdates
    ) -> Iterator[tuple[list[str], Reading]]:
        """So many entities at a time, and the windows of those not in memory, asked for while earlier ones are used."""
        asked: deque[tuple[list[str], Reading]] = deque()
        for start in range(0, len(entity_ids), at_once):
            piece = entity_ids[start : start + at_once]
            asked.append((piece, self._request(piece, pending.day, pending.horizon_day)))
            if len(asked) > _ASKED_AHEAD:
                yield asked.popleft()
        yield from asked

    def advance(self, entity_ids: Iterable[str], day: int) -> int:
        """Bring silent windows to the clock day; returns how many moved."""
        moved = 0
        pending = list(entity_ids)
        for entity_id in pending:
            # One that was not in Redis when we looked may have been written by another since.
            if entity_id in self._cache and not self._cache[entity_id].version:
                del self._cache[entity_id]
        while pending:
            self._receive(self._request(pending, day, day))
            changed = []
            for entity_id in pending:
                state = self._cache[entity_id]
                # A window without a version is not in Redis: someone cleared it since it was put on the list.
                if state.version and state.advance(day):
                    state.restamp(0)
                    changed.append(state)
            pending = self._forget(self._store.write(changed))
            moved += len(changed) - len(pending)
        self._trim()
        return moved

    def _request(self, entity_ids: Iterable[str], day: int, newest_day: int) -> Reading:
        """Ask Redis for the windows that are not in memory, without waiting."""
        missing = [entity_id for entity_id in entity_ids if entity_id not in self._cache]
        return self._store.request(missing, day, newest_day)

    def _receive(self, reading: Reading) -> None:
        self._cache.update((state.entity_id, state) for state in self._store.receive(reading))

    def _fold_one(self, entity_id: str, pending: PendingUpdates) -> bool:
        """Fold what came for one entity; returns whether its window must be written."""
        state, purchases = self._cache[entity_id], pending.purchases[entity_id]
        believed = [purchase.day for purchase in purchases if purchase.day <= pending.horizon_day]
        moved = state.advance(max([*believed, pending.day]))
        fresh, late, fenced = self._unknown(state, purchases, pending)
        if not fresh and not moved:
            pending.counts[entity_id] = (0, late, 0, fenced)
            return False
        counted = state.take(fresh)
        pending.counts[entity_id] = (counted, late, len(fresh) - counted, fenced)
        state.restamp(max([purchase.occurred_at_us for purchase in fresh if purchase.day <= state.day], default=0))
        return True

    def _forget(self, entity_ids: list[str]) -> list[str]:
        for entity_id in entity_ids:
            self._cache.pop(entity_id, None)
        return entity_ids

    def _unknown(
        self, state: WindowState, purchases: Sequence[Purchase], pending: PendingUpdates
    ) -> tuple[list[Purchase], int, int]:
        """Those that the window should take, marked as applied, and how many were late and fenced."""
        entity_id, applied, first_day, fresh, late, fenced = state.entity_id, state.applied, state.first_day, [], 0, 0
        event_ids = None if self._event_ids is None else state.states[self._event_ids]
        not_counted_yet = {p.event_id: (p.partition, p.offset) for p in state.early}
        pending.duplicates.pop(entity_id, None)
        changes = pending.changes[entity_id] = set()
        for purchase in purchases:
            partition, offset = source = purchase.partition, purchase.offset
            if event_ids is not None:
                event_id = purchase.event_id
                came = event_ids.get(event_id) or not_counted_yet.setdefault(event_id, source)
                if came[1] != offset or came[0] != partition:  # sent a second time
                    pending.duplicates.setdefault(entity_id, []).append(source)
                    continue
            if offset <= applied.get(partition, -1):
                fenced += 1
            elif purchase.day < first_day:
                late += 1
                continue
            else:
                applied[partition] = offset
                fresh.append(purchase)
            changes.add(purchase.day)
        return fresh, late, fenced

    def _trim(self) -> None:
        """Forget the windows that came first; what is needed again is read again."""
        surplus = len(self._cache) - self._cached_entities
        if surplus > 0:
            for entity_id in list(self._cache)[: surplus + self._cached_entities // 10]:
                del self._cache[entity_id]
