"""Marks that cannot outlast what they speak of: one on a single Redis, sixteen on a Redis Cluster.

A server that is killed, or whose replica takes over, comes back with a prefix of its own history. A mark written after
what it vouches for, *to the same server*, is therefore gone whenever that is. A cluster's masters fall back each for
itself, so there a mark is written sixteen times, to keys in the middle of sixteen equal ranges of slots: any 1,024
slots in a row hold one, so every master does (``check_every_master_is_marked``), and when slots move their mark moves
with them. The mark then says the least that any of the sixteen says.

What each thing in the store relies on, when some masters lose their last moments or everything:

- **Windows** know the last offset of every partition that is in them; offering older purchases again changes nothing.
- **Checkpoints** are marks, written when all masters have answered all that they vouch for. Reading goes on from the
  least: whatever a master has lost lies behind its own mark and is read again; the other windows fence it. A mark that
  is missing reads as the topic's beginning: that master has lost everything, or nothing was ever marked.
- **Entries of the expiry index** are added before the position of their purchase: lost, they are added again with it.
  They are removed after their windows were written, which may be elsewhere: see ``cluster_expiry_index``.
- **Swept days** lie in the same slot as the entries of their shard, written after the entries' removal.
- **The event clock and the watermarks** are told again by every worker with each batch and every two seconds, and
  workers' clocks do not go back. If all workers die with that master, its position is as old as the clock it kept:
  the purchases that moved the clock are read again. Until then windows that stand on a later day stay there.
- **Article changes** are announced again with the purchases, fenced or not, and with the entries that are swept
  again. A stream that is shorter than what a gateway has read makes it read everything (``serving.gateway``).
- **A bootstrap's flag** is a mark: set on every master before anything is loaded, taken away after everything. A
  master that has lost something of what was loaded has the flag again, or not the name that the bootstrap left as
  another mark: workers refuse to start.
- **The topics' ids** are in the event log, too; whoever reads first writes them again.
- **Workers' words** for ``vitrine stream status`` fade after seconds anyway.
- **Stock** (``w/``) carries the time of its event, so the latest word wins in any order; it has positions of its own
  and is read again like purchases.
"""

from __future__ import annotations

from feature_repo.online.cluster_pipe import ClusterPipe
from feature_repo.online.redis_pipe import Pipe
from infra.base.errors import UserError

# Hash tags of slots 512, 512 + 1024, 512 + 2 * 1024, ...
_TAGS = (
    b"1768", b"20261", b"18360", b"41271", b"3453", b"11199", b"29098", b"8591",
    b"265", b"45842", b"13409", b"17891", b"46093", b"3635", b"2912", b"48623",
)  # fmt: skip


def mark_keys(name: bytes, is_cluster: bool) -> list[bytes]:
    """The keys of one mark."""
    return [b"%b:{%b}" % (name, tag) for tag in _TAGS] if is_cluster else [name]


def key_of_shard(name: bytes, shard: int, is_cluster: bool) -> bytes:
    """The key of something that belongs to a shard: all of one shard lie in one slot."""
    return b"%b:{%b}" % (name, _TAGS[shard % len(_TAGS)]) if is_cluster else name


def check_every_master_is_marked(pipe: Pipe) -> None:
    """Make sure that no master of a cluster could lose data unnoticed.

    Raises:
        UserError: some hold none of the marks.
    """
    if isinstance(pipe, ClusterPipe):
        slots = pipe.slots
        unmarked = set(slots.masters) - {slots.master_of(key) for key in mark_keys(b"", True)}
        if unmarked:
            named = ", ".join(sorted(f"{host}:{port}" for host, port in unmarked))
            raise UserError(
                f"{named} of the Redis Cluster would lose data unnoticed: give each master at least 1,024 slots in a "
                "row (redis-cli --cluster rebalance), at most 16 masters in all"
            )
