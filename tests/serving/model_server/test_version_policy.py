"""What counts as a version on disk."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from serving.model_server.loading.version_policy import versions_on_disk

NOBODY = 65534


@contextmanager
def as_ordinary_user():
    """Root may look into every folder."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_version_folder_that_cannot_be_looked_into_is_left_alone():
    with TemporaryDirectory() as folder:
        base_path = Path(folder)
        base_path.chmod(0o755)
        for version in ("1", "2"):
            (base_path / version).mkdir(mode=0o755)
            (base_path / version / "saved_model.pb").touch()
        (base_path / "2").chmod(0)
        with as_ordinary_user():
            found = versions_on_disk(base_path)
        (base_path / "2").chmod(0o755)
        assert found == {1: base_path / "1"}
        assert versions_on_disk(base_path) == {1: base_path / "1", 2: base_path / "2"}
