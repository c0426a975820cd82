"""Run a command that the kernel kills when its starter dies: ``dies_with_starter.py STARTER_PID COMMAND...``.

Started as a program of its own rather than as code between fork and exec: the starter may be a large process with
threads, where running Python after a fork can hang. It becomes the command (exec), so the process id stays.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    starter_pid, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The starter may have died before the request above; then no signal will ever come.
    if os.getppid() != starter_pid:
        sys.exit("dies_with_starter: the starting process is gone")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"dies_with_starter: {command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
