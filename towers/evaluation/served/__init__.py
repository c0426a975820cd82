"""Vitrine's own row: by the stages of the gateway (``order``), and by the running gateway itself (``answers``)."""
