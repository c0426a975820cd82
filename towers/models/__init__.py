"""The models as such, losses included: nothing here reads a file.

``query_tower`` and ``candidate_tower`` share an ``article_encoder``; ``two_stage`` trains both with a ranking head, by
TensorFlow Recommenders; ``ranker`` orders the candidates of all sources.
"""
