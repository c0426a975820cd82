"""``models.config``: a ModelServerConfig in protobuf's text form, read at the start and followed from then on."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from infra.base.errors import UserError
from serving.model_server.model_host import ModelHost
from serving.model_server.serving_error import ServingError

log = logging.getLogger(__name__)


class ConfigFile:
    """Keeps a host's configuration equal to a file's. A broken or refused file leaves the old one serving."""

    def __init__(self, path: Path, host: ModelHost) -> None:
        self._path = path
        self._host = host
        self._complaint = ""

    def read(self) -> model_server_config_pb2.ModelServerConfig | None:
        """The file's content, None while there is no file.

        Raises:
            UserError: it is not a ModelServerConfig.
        """
        try:
            return text_format.Parse(self._path.read_text(), model_server_config_pb2.ModelServerConfig())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
            raise UserError(f"{self._path} is not a ModelServerConfig in protobuf's text form: {error}") from None

    def load_first(self) -> None:
        """Put the file into force at the start; without one nothing is served until it appears.

        Raises:
            UserError: it is broken, or refused (such as labels without the flag that allows them).
        """
        config = self.read()
        if config is None:
            log.warning("there is no %s yet: nothing is served until it appears", self._path)
            return
        try:
            self._host.reload(config)
        except ServingError as error:
            if self._host.config is None:
                raise UserError(f"Failed to start server. Error: {error.code.name}: {error.message}") from None
            log.error("%s", error.message)

    def follow(self, every_seconds: float, stopping: threading.Event) -> None:
        """Look at the file again and again. It rules: a reload by RPC that it does not agree with is undone."""
        while not stopping.wait(every_seconds):
            try:
                if self._host.agree_with(self.read, give_up=stopping.is_set):
                    log.info("took over %s", self._path)
                self._complaint = ""
            except UserError as error:
                self._complain(str(error))
            except ServingError as error:
                self._complain(f"{self._path} is refused: {error.code.name}: {error.message}")

    def _complain(self, text: str) -> None:
        """Say it once, not every second."""
        if text != self._complaint:
            log.error("%s; the configuration before it stays in force", text)
        self._complaint = text
