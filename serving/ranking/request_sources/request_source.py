"""What a source of the request is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.allowed import Allowed
from serving.retrieval.sources.source import ReleaseView, RetrievalQuery


class RequestSource(ABC):
    """Adds articles to the candidates of one request."""

    name: ClassVar[str]
    leads: ClassVar[bool] = False
    """Whether its articles are shown for it whoever else proposes them, and stand first where no ranker answers."""

    @abstractmethod
    def propose(
        self, release: ReleaseView, query: RetrievalQuery, allowed: Allowed, found: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Positions, best first, each once; only what is allowed.

        Args:
            found: positions that are candidates already; they may be among the answer.
        """

    def reason(self, query: RetrievalQuery, position: int) -> str | None:
        """Why it proposed an article, in words for the shopper; None: no more than that it sells."""
        return None
