"""What articles look like, as 256 numbers each.

``backbone.py`` chooses a network trained on ImageNet (ResNet152, or EfficientNet-Lite0 where its weights are out of
reach) behind one small interface; ``embedding.py`` runs it over all pictures and can be stopped and started again;
``reduction.py`` brings the result to 256 dimensions by PCA; ``filling.py`` stands in for missing pictures;
``build.py`` puts them together, for the whole catalogue (``embed_catalogue``) and for articles that came later
(``embed_new``).
"""
