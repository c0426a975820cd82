"""The stream's clock: what time it is according to the purchases, and which of them to believe.

Each partition is as far as its newest purchase. The clock is the low watermark: the least of those partitions that
still have purchases waiting; partitions read to their end do not hold it back. It never goes back. A single purchase
dated far ahead does not move it: a leap must be confirmed by several customers, or it is one broken till.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from feature_repo.events.purchase import Purchase
from feature_repo.events.rules import WALL_SKEW_US
from feature_repo.files.purchase_dates import LEAP_DAYS, WITNESSES
from infra.base.calendar import DAY_MICROS

_PUBLISHED_SEPARATOR = b":"


@dataclass(frozen=True)
class WatermarkPolicy:
    """How far ahead an event time may be.

    Attributes:
        leap_days: purchases up to so many days after the newest one are believed at once.
        confirmations: later ones are believed when so many different customers have them.
        wall_skew_us: nothing occurs later than the machine's clock plus this; such events are bad events.
    """

    leap_days: int = LEAP_DAYS
    confirmations: int = WITNESSES
    wall_skew_us: int = WALL_SKEW_US


@dataclass
class _Partition:
    newest_us: int
    is_read_to_end: bool


@dataclass
class EventClock:
    """The watermark over all partitions, whichever worker reads them.

    Attributes:
        watermark_policy: how far ahead an event time may be.
        now_us: the clock, microseconds since 1970-01-01; 0 before the first purchase.
    """

    watermark_policy: WatermarkPolicy = field(default_factory=WatermarkPolicy)
    now_us: int = 0
    _partitions: dict[int, _Partition] = field(default_factory=dict)
    _unconfirmed: dict[str, tuple[int, int]] = field(default_factory=dict)
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

    def observe(self, read: Mapping[int, tuple[Sequence[Purchase], bool]]) -> None:
        """Take note of what a round read, and bring the clock forward.

        Args:
            read: partition to its purchases and whether nothing more waits in it.
        """
        sold = {partition: purchases for partition, (purchases, _) in read.items() if purchases}
        if sold:
            for partition, newest_us in self._believe(sold).items():
                known = self._partitions.setdefault(partition, _Partition(newest_us, False))
                known.newest_us = max(known.newest_us, newest_us)
        for partition, (purchases, is_read_to_end) in read.items():
            if partition in self._partitions:
                self._partitions[partition].is_read_to_end = is_read_to_end
            if purchases or is_read_to_end:
                self._unread.discard(partition)
        if not self._unread:
            behind = [partition.newest_us for partition in self._partitions.values() if not partition.is_read_to_end]
            self.move_to(min(behind) if behind else self.newest_us)

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

    def _believe(self, sold: Mapping[int, Sequence[Purchase]]) -> dict[int, int]:
        """Partition to its newest believed instant among these purchases."""
        newest_us = self.newest_us
        newest = {partition: max([p.occurred_at_us for p in purchases]) for partition, purchases in sold.items()}
        if newest_us and not self._unconfirmed and max(newest.values()) <= self._believable_us(newest_us):
            return newest
        claims = [
            (purchase.occurred_at_us, partition, purchase.customer_id)
            for partition, purchases in sold.items()
            for purchase in purchases
        ]
        claims = sorted(claims + [(at_us, partition, who) for who, (at_us, partition) in self._unconfirmed.items()])
        if not newest_us:  # the very first purchases are measured by the one in their middle
            newest_us = claims[len(claims) // 2][0]
        # In the order of time, so the last one of a partition counts.
        return {partition: at_us for at_us, partition, _ in claims[: self._count_believed(claims, newest_us)]}

    def _count_believed(self, sold: list[tuple[int, int, str]], newest_us: int) -> int:
        """How many of these, which are in the order of time, to believe; the others are remembered."""
        count = 0
        while count < len(sold) and sold[count][0] <= self._believable_us(newest_us):
            newest_us = max(newest_us, sold[count][0])
            count += 1
        early = {who: (at_us, partition) for at_us, partition, who in sold[count:]}
        if len(early) >= self.watermark_policy.confirmations:
            newest_first = sorted([at_us for at_us, _ in early.values()], reverse=True)
            confirmed_us = newest_first[self.watermark_policy.confirmations - 1]
            count = bisect_right(sold, confirmed_us, key=itemgetter(0))
            early = {who: (at_us, partition) for at_us, partition, who in sold[count:]}
        self._unconfirmed = early
        return count

    def _believable_us(self, newest_us: int) -> int:
        """The end of the last day that is no leap after ``newest_us``."""
        return (newest_us // DAY_MICROS + self.watermark_policy.leap_days + 1) * DAY_MICROS - 1
