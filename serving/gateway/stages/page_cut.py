"""Stage 7, its end: the page that was asked for, out of the order of all candidates and what comes behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.gateway.requests import Request
from serving.gateway.stages.pages import DEEPEST_ARTICLE
from serving.ranking.filters.allowed import Allowed
from serving.ranking.find_candidates import Candidates, with_best_sellers
from serving.release.reader import Release
from serving.retrieval.customer import Customer
from serving.retrieval.position_sets import are_among


@dataclass(frozen=True)
class Ranked:
    """Candidates in the order of showing."""

    found: Candidates
    scores: npt.NDArray[np.float32]  # [m]
    order: npt.NDArray[np.intp]  # [m] indexes into the candidates, best first


@dataclass(frozen=True)
class PageCut:
    """One page of an answer."""

    ranked: Ranked
    shown: npt.NDArray[np.intp]  # indexes into the candidates, best first
    passed: list[str]  # articles of this page and of those before it by number
    goes_on: bool  # whether another page follows


def cut_page(request: Request, release: Release, customer: Customer, allowed: Allowed, ranked: Ranked) -> PageCut:
    """Cut a page out, without what earlier pages have shown or was bought since the first.

    The candidates do not depend on the page, and where they end the best sellers of the whole catalogue follow: so
    pages by number are cut from one order too, as long as nothing changes.
    """
    articles, earlier = release.articles, request.earlier
    left_out = articles.positions([*earlier.article_ids, *earlier.bought_since(customer)])
    left_out = left_out[left_out >= 0]
    order = ranked.order[~are_among(ranked.found.proposed.positions[ranked.order], left_out)]
    begin = request.page * request.count
    end = begin + request.end - request.first
    if order.size <= end:  # one more than the page has tells whether another follows
        size = len(ranked.found)
        found = with_best_sellers(release, ranked.found, allowed, left_out, end + 1 - order.size)
        scores = np.pad(ranked.scores, (0, len(found) - size))
        order = np.concatenate([order, np.arange(size, len(found))])
        ranked = Ranked(found, scores, order)
    passed = [articles.ids[position] for position in ranked.found.proposed.positions[order[:end]].tolist()]
    return PageCut(ranked, order[begin:end], passed, order.size > end and request.end < DEEPEST_ARTICLE)


def candidates_alone(request: Request, release: Release, ranked: Ranked) -> PageCut:
    """The page out of the candidates and nothing else: where ``cut_page`` breaks."""
    shown_before = release.articles.positions(request.earlier.article_ids)
    order = ranked.order[~are_among(ranked.found.proposed.positions[ranked.order], shown_before)]
    begin = request.page * request.count
    return PageCut(ranked, order[begin : begin + request.end - request.first], [], False)
