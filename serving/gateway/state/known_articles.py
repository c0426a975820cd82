"""Which articles an interaction may be about: the streaming worker's catalogue, so that it takes what is recorded."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from feature_repo.events.catalogue import Catalogue
from serving.gateway.state.active_releases import ActiveReleases


class KnownArticles:
    """The catalogue as it is now; where this machine has none, the articles of the release that answers.

    A new article is known as soon as it is ingested, before any release holds it.
    """

    def __init__(self, path: Path, releases: ActiveReleases) -> None:
        """Args:
        path: of the catalogue that workers read.
        """
        self._path, self._releases = path, releases
        self._catalogue: Catalogue | None = None

    def newest(self) -> Container[str]:
        """Article ids. Reads the catalogue where it has changed, so call it in a thread.

        Raises:
            NoRelease: there is neither a catalogue nor a release.
        """
        if self._catalogue is None:
            self._catalogue = Catalogue(self._path)
        else:
            self._catalogue.look()
        if self._catalogue.is_ingested:
            return self._catalogue
        with self._releases.hold("") as active:
            return active.release.articles.position
