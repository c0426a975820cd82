"""Drawn pictures of articles, which show type, colour, pattern and, in the cut, the latent style.

The drawings are ``silhouettes.svg`` and ``cloths.svg``, read by ``silhouettes.py``; ``draw.py`` paints one in the shape
that ``cut.py`` gives it, ``album.py`` all of a catalogue.
"""
