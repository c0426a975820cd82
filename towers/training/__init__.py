"""From training data to a release: ``pipeline`` is ``vitrine train``, step by step.

``fitting`` fits everything to the days before a day: towers (``tower_trainer``, ``fitted_towers``), candidate sources
(``fitted_sources``, by ``counts``), latent factors (``factor_fitting``), ranker. ``bundle`` and ``export`` write it,
``evaluation_artifacts`` keeps what a later evaluation needs, ``release_under_test`` reads it back. ``ablation`` does it
again without one thing at a time.
"""
