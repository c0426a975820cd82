"""What was shown and what shoppers did, as events of the Kafka topic ``interactions``.

``impressions`` come from answers, ``recording`` from the storefront; ``interaction_log`` sends both; no answer waits.
"""
