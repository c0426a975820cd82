"""Where things are and which services to talk to: one frozen object, made once at the edge and passed in.

Order of precedence: environment variables, then the local stack that is running (it writes its ports to
``var/run/stack.json``), then the services' customary ports on this machine. A variable that is empty counts as not set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.base.addresses import join_address, split_address
from infra.base.clock import parse_clock, wall_clock
from infra.base.errors import UserError
from infra.base.process_identity import process_identity
from infra.base.redis_url import RedisUrl

CHECKOUT = Path(__file__).resolve().parent.parent.parent

DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/0"
DEFAULT_KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:9092"
DEFAULT_TF_SERVING_ADDRESS = "127.0.0.1:8500"
DEFAULT_GATEWAY_ADDRESS = "127.0.0.1:50051"


@dataclass(frozen=True)
class Settings:
    """Addresses and folders of one deployment.

    ``clock`` is "" for the wall clock, an ISO date for a fixed day, or ``events`` for the stream's own watermark.
    """

    var_dir: Path
    redis_url: str = field(default=DEFAULT_REDIS_URL, repr=False)  # may hold a password
    kafka_bootstrap_servers: str = DEFAULT_KAFKA_BOOTSTRAP_SERVERS
    tf_serving_address: str = DEFAULT_TF_SERVING_ADDRESS
    gateway_address: str = DEFAULT_GATEWAY_ADDRESS
    clock: str = ""

    def __post_init__(self) -> None:
        """Raises:
        UserError: names the first address that is none, and what to write.
        """
        _addresses("kafka_bootstrap_servers", self.kafka_bootstrap_servers)
        _address("tf_serving_address", self.tf_serving_address)
        _address("gateway_address", self.gateway_address)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read ``VITRINE_*`` variables, falling back on the running local stack and then on customary ports.

        Raises:
            UserError: names every variable that cannot be used, with its value and what was expected.
        """
        env = os.environ if environ is None else environ
        faults: list[str] = []
        var_dir = Path(env.get("VITRINE_VAR", "").strip() or CHECKOUT / "var").absolute()
        below = next(folder for folder in (var_dir, *var_dir.parents) if folder.exists())
        if not below.is_dir():
            faults.append(f"VITRINE_VAR is {str(var_dir)!r}, but {below} is a file; expected a folder")
        running = _running_stack(var_dir / "run" / "stack.json")

        def pick(variable: str, default: str, check: Callable[[str, str], str]) -> str:
            text = env.get(variable, "").strip() or running.get(variable.removeprefix("VITRINE_").lower()) or default
            try:
                return check(variable, text)
            except UserError as error:
                faults.append(str(error))
                return default

        settings = cls(
            var_dir=var_dir,
            redis_url=pick("VITRINE_REDIS_URL", DEFAULT_REDIS_URL, lambda _, text: RedisUrl.parse(text).text),
            kafka_bootstrap_servers=pick(
                "VITRINE_KAFKA_BOOTSTRAP_SERVERS", DEFAULT_KAFKA_BOOTSTRAP_SERVERS, _addresses
            ),
            tf_serving_address=pick("VITRINE_TF_SERVING_ADDRESS", DEFAULT_TF_SERVING_ADDRESS, _address),
            gateway_address=pick("VITRINE_GATEWAY_ADDRESS", DEFAULT_GATEWAY_ADDRESS, _address),
            clock=pick("VITRINE_CLOCK", "", _clock),
        )
        if faults:
            raise UserError("; ".join(faults))
        return settings

    def to_environment(self) -> dict[str, str]:
        """The variables that make a child process see these very settings."""
        return {
            "VITRINE_VAR": str(self.var_dir),
            "VITRINE_REDIS_URL": self.redis_url,
            "VITRINE_KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "VITRINE_TF_SERVING_ADDRESS": self.tf_serving_address,
            "VITRINE_GATEWAY_ADDRESS": self.gateway_address,
            "VITRINE_CLOCK": self.clock,
        }

    @property
    def tables_dir(self) -> Path:
        """Validated purchase files as Parquet: ``articles``, ``customers``, ``purchases``."""
        return self.var_dir / "tables"

    @property
    def offline_dir(self) -> Path:
        """Feast's offline tables, one Parquet file per feature view."""
        return self.var_dir / "offline"

    @property
    def registry_path(self) -> Path:
        """Feast's registry."""
        return self.var_dir / "registry.db"

    @property
    def event_log_dir(self) -> Path:
        """Everything that came over Kafka, as Parquet by topic and event date."""
        return self.var_dir / "events"

    @property
    def releases_dir(self) -> Path:
        """Release bundles, one folder per release number."""
        return self.var_dir / "releases"

    @property
    def model_base_dir(self) -> Path:
        """TensorFlow Serving's base paths and ``models.config``."""
        return self.var_dir / "models"

    @property
    def images_dir(self) -> Path:
        """Image embeddings and their PCA."""
        return self.var_dir / "images"

    @property
    def reports_dir(self) -> Path:
        """Figures, tables and pictures."""
        return self.var_dir / "reports"

    @property
    def run_dir(self) -> Path:
        """Process ids, ports and the services' own data."""
        return self.var_dir / "run"

    @property
    def logs_dir(self) -> Path:
        """One log file per process."""
        return self.var_dir / "logs"


def _address(name: str, text: str) -> str:
    try:
        return join_address(*split_address(text))
    except ValueError:
        example = DEFAULT_GATEWAY_ADDRESS if "gateway" in name.lower() else DEFAULT_TF_SERVING_ADDRESS
        raise UserError(f"{name} is {text!r}; expected host:port, such as {example}") from None


def _addresses(name: str, text: str) -> str:
    try:
        return ",".join(join_address(*split_address(address.strip())) for address in text.split(","))
    except ValueError:
        expected = f"host:port, or several with commas between, such as {DEFAULT_KAFKA_BOOTSTRAP_SERVERS}"
        raise UserError(f"{name} is {text!r}; expected {expected}") from None


def _clock(variable: str, text: str) -> str:
    try:
        parse_clock(text, wall_clock)
    except ValueError as error:
        raise UserError(str(error)) from None
    return text


def _running_stack(path: Path) -> dict[str, str]:
    """What the local stack says about itself; nothing when its owner was killed and could not take the file away."""
    try:
        content = json.loads(path.read_text())
        owner = content["owner"]
        if process_identity(owner["pid"]) != owner["identity"]:
            return {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {key: value for key, value in content.items() if isinstance(value, str)}
