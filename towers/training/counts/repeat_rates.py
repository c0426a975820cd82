"""How often what was bought is soon bought again, by article and by product."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.shrinkage import shrunk_rates

REPEAT_DAYS = 7
"""Bought again within so many days counts as bought again."""
SMOOTHING = (50.0, 20.0, 20.0)
"""Purchases that count as no evidence: of a department, of a product, of an article; each leans on the one before."""


def repeat_rates(
    purchases: PurchaseLog, articles: ArticleTable
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Rates of articles and of products, [n] each: an article leans on its product, a product on its department."""
    department, product = articles.category("department_name"), articles.product
    departments, products = int(department.max(initial=0)) + 1, int(product.max(initial=-1)) + 1
    of_department, of_product, of_article = SMOOTHING
    department_of_product = np.zeros(products, np.int32)
    department_of_product[product] = department

    tried, again = _repeats(purchases.customer, purchases.article, purchases.day)
    usual = again.mean() if again.size else 0.0
    rate = shrunk_rates(department[tried], again, np.full(departments, usual), of_department)
    rate = shrunk_rates(product[tried], again, rate[department_of_product], of_product)
    of_articles = shrunk_rates(tried, again, rate[product], of_article)

    tried, again = _repeats(purchases.customer, product[purchases.article], purchases.day)
    usual = again.mean() if again.size else 0.0
    rate = shrunk_rates(department_of_product[tried], again, np.full(departments, usual), of_department)
    of_products = shrunk_rates(tried, again, rate[department_of_product], of_product)
    return of_articles.astype(np.float32), of_products[product].astype(np.float32)


def _repeats(
    customer: npt.NDArray[np.int32], thing: npt.NDArray[np.int32], day: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Every purchase before the last day, one a customer, thing and day: the thing, and 1.0 where bought again soon."""
    order = np.lexsort((day, thing, customer))
    customer, thing, day = customer[order], thing[order], day[order]
    same = (customer[1:] == customer[:-1]) & (thing[1:] == thing[:-1])
    first_of_day = np.ones(len(day), np.bool_)
    first_of_day[1:] = ~(same & (day[1:] == day[:-1]))
    customer, thing, day = customer[first_of_day], thing[first_of_day], day[first_of_day]
    again = np.zeros(len(day))
    again[:-1] = (customer[1:] == customer[:-1]) & (thing[1:] == thing[:-1]) & (day[1:] - day[:-1] <= REPEAT_DAYS)
    # What was bought on the last day has had no day to be bought again.
    seen = day < day.max(initial=0)
    return thing[seen], again[seen]
