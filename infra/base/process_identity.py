"""Tell a process from a later one that was given the same number. Imports nothing of the project."""

from __future__ import annotations

from pathlib import Path


def process_identity(pid: int) -> str | None:
    """A text that no other process of any boot of this machine shares, or None when ``pid`` does not run.

    It joins the boot's id with the process's start time in clock ticks (field 22 of ``/proc/<pid>/stat``, see proc(5)).
    psutil's ``create_time`` adds the time of the boot, which moves when the wall clock is set: a stack that runs would
    be taken for one that was killed. A zombie, killed but not yet reaped by its parent, does not run.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields_from_state = stat.rpartition(")")[2].split()  # the command before it may hold blanks and brackets
    if fields_from_state[0] in ("Z", "X"):
        return None
    return f"{boot_id}:{fields_from_state[19]}"
