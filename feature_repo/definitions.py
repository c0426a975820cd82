"""What ``feast -c feature_repo apply`` registers: entities, sources, feature views and feature services.

``feast_objects`` makes them from ``schema``, for the folders and the Kafka of the environment's settings.
"""

from feature_repo.feast_objects import define
from infra.base.settings import Settings

_made = define(Settings.from_environment())

customer = _made.entities["customer"]
article = _made.entities["article"]

customer_profile_table = _made.sources["customer_profile"]
customer_history_table = _made.sources["customer_history"]
customer_activity_30d_stream = _made.sources["customer_activity_30d"]
article_catalog_table = _made.sources["article_catalog"]
article_sales_table = _made.sources["article_sales"]
article_activity_30d_stream = _made.sources["article_activity_30d"]
article_image_table = _made.sources["article_image"]
article_availability_push = _made.sources["article_availability"]

customer_profile = _made.views["customer_profile"]
customer_history = _made.views["customer_history"]
customer_activity_30d = _made.views["customer_activity_30d"]
article_catalog = _made.views["article_catalog"]
article_sales = _made.views["article_sales"]
article_activity_30d = _made.views["article_activity_30d"]
article_image = _made.views["article_image"]
article_availability = _made.views["article_availability"]

towers = _made.services["towers"]
ranker = _made.services["ranker"]
online = _made.services["online"]
