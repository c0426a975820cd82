"""The stream's clock: what time it is according to the purchases, and which of them to believe.

Each partition is as far as its newest purchase. The clock is the low watermark: the least of those partitions that
still have purchases waiting; partitions read to their end do not hold it back. It never goes back. A single purchase
dated far ahead does not move it: a leap must be confirmed by several customers, or it is one broken till.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streaming.purchase import DAY_MICROS, Purchase

_PUBLISHED_SEPARATOR = b":"


@dataclass(frozen=True)
class Belief:
    """How far ahead an event time may be.

    Attributes:
        leap_days: purchases up to so many days after the newest one are believed at once.
        confirmations: later ones are believed when so many different customers have them.
        wall_skew_us: nothing occurs later than the machine's clock plus this; such events are bad events.
    """

    leap_days: int = 7
    confirmations: int = 3
    wall_skew_us: int = DAY_MICROS


@dataclass
class _Partition:
    newest_us: int
    is_read_to_end: bool


@dataclass
class EventClock:
    """The watermark over all partitions, whichever worker reads them.

    Attributes:
        belief: how far ahead an event time may be.
        now_us: the clock, microseconds since 1970-01-01; 0 before the first purchase.
    """

    belief: Belief = field(default_factory=Belief)
    now_us: int = 0
    _partitions: dict[int, _Partition] = field(default_factory=dict)
    _unconfirmed: dict[str, int] = field(default_factory=dict)
    _unread: set[int] = field(default_factory=set)

    @property
    def day(self) -> int:
        """The clock's UTC day."""
        return self.now_us // DAY_MICROS

    @property
    def newest_us(self) -> int:
        """The newest purchase believed, of all partitions."""
        return max([partition.newest_us for partition in self._partitions.values()], default=self.now_us)

    @property
    def horizon_day(self) -> int:
        """The newest day believed by now: windows follow their own purchases up to here."""
        return max(self.newest_us, self.now_us) // DAY_MICROS

    def expect(self, partitions: Iterable[int]) -> None:
        """Hold the clock until something, or the end, was read of these partitions: they may be far behind."""
        self._unread.update(partition for partition in partitions if partition not in self._partitions)

    def observe(self, partition: int, purchases: Iterable[Purchase], is_read_to_end: bool) -> None:
        """Take note of what one partition brought. Call ``move`` when all of a round are noted."""
        instants = [(purchase.occurred_at_us, purchase.customer_id) for purchase in purchases]
        known = self._partitions.get(partition)
        if instants:
            newest_us, _ = max(instants)
            if newest_us > self._believable_us(instants):
                newest_us = self._confirm(instants)
            if known is None:
                self._partitions[partition] = _Partition(newest_us, is_read_to_end)
            else:
                known.newest_us = max(known.newest_us, newest_us)
        if partition in self._partitions:
            self._partitions[partition].is_read_to_end = is_read_to_end
        if instants or is_read_to_end:
            self._unread.discard(partition)

    def move(self) -> bool:
        """Bring the clock forward; returns whether its day changed."""
        former_day = self.day
        if self._unread:
            return False
        behind = [partition.newest_us for partition in self._partitions.values() if not partition.is_read_to_end]
        self.move_to(min(behind) if behind else self.newest_us)
        return self.day != former_day

    def move_to(self, instant_us: int) -> None:
        """Move to ``instant_us`` if that is later than now."""
        self.now_us = max(self.now_us, instant_us)

    def forget(self, partitions: Iterable[int]) -> None:
        """Stop counting partitions in; another worker reads them now and publishes how far they are."""
        for partition in partitions:
            self._partitions.pop(partition, None)
            self._unread.discard(partition)

    def published(self, partition: int) -> bytes | None:
        """What other workers need to know of a partition."""
        known = self._partitions.get(partition)
        return None if known is None else b"%d:%d" % (known.newest_us, known.is_read_to_end)

    def learn(self, partition: int, published: bytes) -> None:
        """Take note of what another worker published."""
        newest_us, is_read_to_end = published.split(_PUBLISHED_SEPARATOR)
        self._partitions[partition] = _Partition(int(newest_us), is_read_to_end == b"1")

    def _believable_us(self, instants: list[tuple[int, str]]) -> int:
        newest_us = self.newest_us
        if not newest_us:  # the very first purchases: they are measured by the earliest of them
            newest_us = min(instants)[0]
        return (newest_us // DAY_MICROS + self.belief.leap_days + 1) * DAY_MICROS - 1

    def _confirm(self, instants: list[tuple[int, str]]) -> int:
        """The newest time to believe among these, some of which are a leap ahead."""
        believable_us = self._believable_us(instants)
        for occurred_at_us, customer_id in instants:
            if occurred_at_us > believable_us:
                self._unconfirmed[customer_id] = max(occurred_at_us, self._unconfirmed.get(customer_id, 0))
        believed_us = max([at_us for at_us, _ in instants if at_us <= believable_us], default=self.newest_us)
        self._unconfirmed = {who: at_us for who, at_us in self._unconfirmed.items() if at_us > believable_us}
        if len(self._unconfirmed) >= self.belief.confirmations:
            confirmed_us = sorted(self._unconfirmed.values(), reverse=True)[self.belief.confirmations - 1]
            self._unconfirmed = {who: at_us for who, at_us in self._unconfirmed.items() if at_us > confirmed_us}
            believed_us = max(believed_us, confirmed_us)
        return believed_us
