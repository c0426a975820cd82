"""Applies purchases to the windows of one kind of entity, each exactly once, whoever else writes beside us.

The order of things makes it so: a window's header names, per partition, the last offset it has applied; purchases at or
before it are left out; header, tiles and features change in one step or not at all. An entity whose write was overtaken
is read again and the same purchases are offered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from streaming.purchase import Purchase
from streaming.window_state import WindowState
from streaming.window_store import WindowStore, Writing

DEFAULT_CACHED_ENTITIES = 30_000
_SENT_AT_ONCE = 100


@dataclass(slots=True)
class Applied:
    """What became of a batch of purchases.

    Attributes:
        counted: newly in a window.
        late: dated before the window's first day, known to the event log only.
        ahead: dated after the clock day, kept until it comes.
        duplicates: (partition, offset) of those sent a second time, left out. A first delivery that is read again after
            a crash is none of them.
        fenced: applied before, left out.
        overtaken: writes that another writer was faster with, done again.
        changes: (entity id, day of purchase) that the expiry index must know.
    """

    counted: int = 0
    late: int = 0
    ahead: int = 0
    duplicates: set[tuple[int, int]] = field(default_factory=set)
    fenced: int = 0
    overtaken: int = 0
    changes: list[tuple[str, int]] = field(default_factory=list)

    def add(self, other: Applied) -> None:
        """Take in what became of others."""
        self.counted += other.counted
        self.late += other.late
        self.ahead += other.ahead
        self.duplicates |= other.duplicates
        self.fenced += other.fenced
        self.changes += other.changes


@dataclass
class _Round:
    """Purchases on their way, and what became of them so far, by entity."""

    purchases: Mapping[str, Sequence[Purchase]]
    day: int
    horizon_day: int
    outcomes: dict[str, Applied] = field(default_factory=dict)
    overtaken: int = 0
    folded: Applied = field(default_factory=Applied)

    def total(self) -> Applied:
        """What became of all of them."""
        total = Applied(overtaken=self.overtaken)
        for outcome in self.outcomes.values():
            total.add(outcome)
        return total


class WindowUpdates:
    """Keeps windows that were touched lately in memory and brings them and Redis forward together.

    ``apply`` does everything; its steps, ``request``, ``receive``, ``fold`` and ``settle``, are there for a caller with
    two kinds of windows on one connection, so that Redis works while Python does.

    Args:
        store: where they live.
        guards_event_ids: whether the window remembers event ids; then second sendings are told apart.
        cached_entities: how many windows to remember.
    """

    def __init__(
        self, store: WindowStore, *, guards_event_ids: bool, cached_entities: int = DEFAULT_CACHED_ENTITIES
    ) -> None:
        self._store = store
        self._event_ids = store.window.position("event_ids") if guards_event_ids else None
        self._cached_entities = cached_entities
        self._cache: dict[str, WindowState] = {}
        self._reading = store.request([], 0, 0)
        self._writings: list[Writing] = []
        self._round = _Round({}, 0, 0)

    def apply(self, purchases: Mapping[str, Sequence[Purchase]], day: int, horizon_day: int) -> Applied:
        """Apply purchases, grouped by entity; those of a partition in the order of their offsets.

        Args:
            day: the clock day; every touched window is brought to it.
            horizon_day: the newest day to believe: a window follows its own purchases up to here, ahead of the clock.
        """
        self.request(purchases, day, horizon_day)
        self.receive()
        self.fold(purchases, day, horizon_day)
        return self.settle()

    def request(self, entity_ids: Iterable[str], day: int, newest_day: int) -> None:
        """Ask Redis for the windows that are not in memory, without waiting."""
        missing = [entity_id for entity_id in entity_ids if entity_id not in self._cache]
        self._reading = self._store.request(missing, day, newest_day)

    def receive(self) -> None:
        """Take in what was asked for."""
        self._cache.update((state.entity_id, state) for state in self._store.receive(self._reading))

    def fold(self, purchases: Mapping[str, Sequence[Purchase]], day: int, horizon_day: int) -> Applied:
        """Take purchases into windows and send what has changed, without waiting.

        Window by window, a few at a time: packing one that is still in the processor's cache takes half the time.

        Returns:
            What became of the purchases if ``settle`` finds no other writer.
        """
        self._round = _Round(purchases, day, horizon_day)
        entity_ids = iter(purchases)
        while piece := list(islice(entity_ids, _SENT_AT_ONCE)):
            changed = [self._cache[entity_id] for entity_id in piece if self._fold_one(entity_id, self._round)]
            if changed:
                self._writings.append(self._store.send(changed))
        self._round.folded = self._round.total()
        return self._round.folded

    def settle(self) -> Applied:
        """Wait until all is written; windows that others wrote meanwhile are read and folded again."""
        settling = self._round
        pending = self._forget(self._store.settle(self._writings))
        self._writings = []
        while pending:
            settling.overtaken += len(pending)
            self.request(pending, settling.day, settling.horizon_day)
            self.receive()
            changed = [self._cache[entity_id] for entity_id in pending if self._fold_one(entity_id, settling)]
            pending = self._forget(self._store.write(changed))
        self._round = _Round({}, 0, 0)
        self._trim()
        return settling.total() if settling.overtaken else settling.folded

    def advance(self, entity_ids: Iterable[str], day: int) -> int:
        """Bring silent windows to the clock day; returns how many moved."""
        moved = 0
        pending = list(entity_ids)
        for entity_id in pending:
            # One that was not in Redis when we looked may have been written by another since.
            if entity_id in self._cache and not self._cache[entity_id].version:
                del self._cache[entity_id]
        while pending:
            self.request(pending, day, day)
            self.receive()
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

    def _fold_one(self, entity_id: str, of_round: _Round) -> bool:
        """Fold what came for one entity; returns whether its window must be written."""
        outcome = of_round.outcomes[entity_id] = Applied()
        purchases = of_round.purchases[entity_id]
        return self._offer(self._cache[entity_id], purchases, of_round.day, of_round.horizon_day, outcome)

    def _forget(self, states: Sequence[WindowState]) -> list[str]:
        for state in states:
            del self._cache[state.entity_id]
        return [state.entity_id for state in states]

    def _offer(
        self, state: WindowState, purchases: Sequence[Purchase], day: int, horizon_day: int, outcome: Applied
    ) -> bool:
        """Offer purchases to a window; returns whether it must be written."""
        for purchase in purchases:
            if day < purchase.day <= horizon_day:
                day = purchase.day
        moved = state.advance(day)
        fresh = self._unknown(state, purchases, outcome)
        if not fresh and not moved:
            return False
        outcome.counted = state.take(fresh)
        outcome.ahead = len(fresh) - outcome.counted
        outcome.changes += [(state.entity_id, day) for day in {purchase.day for purchase in fresh}]
        state.restamp(max([p.occurred_at_us for p in fresh if p.day <= state.day], default=0))
        return True

    def _unknown(self, state: WindowState, purchases: Sequence[Purchase], outcome: Applied) -> list[Purchase]:
        """Those that the window should take, marked as applied; what became of the others goes into ``outcome``."""
        applied, first_day, fresh = state.applied, state.first_day, []
        event_ids = None if self._event_ids is None else state.states[self._event_ids]
        not_counted_yet = {p.event_id: (p.partition, p.offset) for p in state.ahead}
        for purchase in purchases:
            partition, offset = source = purchase.partition, purchase.offset
            if event_ids is not None:
                event_id = purchase.event_id
                came = event_ids.get(event_id) or not_counted_yet.setdefault(event_id, source)
                if came[1] != offset or came[0] != partition:  # sent a second time
                    outcome.duplicates.add(source)
                    continue
            if offset <= applied.get(partition, -1):
                outcome.fenced += 1
                outcome.changes.append((state.entity_id, purchase.day))
            elif purchase.day < first_day:
                outcome.late += 1
            else:
                applied[partition] = offset
                fresh.append(purchase)
        return fresh

    def _trim(self) -> None:
        """Forget the windows that came first; what is needed again is read again."""
        surplus = len(self._cache) - self._cached_entities
        if surplus > 0:
            for entity_id in list(self._cache)[: surplus + self._cached_entities // 10]:
                del self._cache[entity_id]
