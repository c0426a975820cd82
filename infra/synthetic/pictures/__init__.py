"""Drawn pictures of articles: silhouette by product type, colour, pattern, and a cut that shows the latent style."""
