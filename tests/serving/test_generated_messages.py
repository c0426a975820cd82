"""What `make proto` generates is what is committed."""

import subprocess
import sys
from pathlib import Path

from infra.base.settings import CHECKOUT

PROTO = Path("serving") / "proto"


def test_the_generated_python_matches_the_proto_files(tmp_path):
    sources = sorted(str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / PROTO).glob("*.proto"))
    protoc = [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([*protoc, *sources], cwd=CHECKOUT, check=True)
    services = [source for source in sources if "\nservice " in (CHECKOUT / source).read_text()]
    subprocess.run([*protoc, f"--grpc_python_out={tmp_path}", *services], cwd=CHECKOUT, check=True)
    generated = {path.name: path.read_text() for path in (tmp_path / PROTO).iterdir()}
    committed = {path.name: path.read_text() for path in (CHECKOUT / PROTO).glob("*_pb2*")}
    assert generated == committed, "run `make proto`"
