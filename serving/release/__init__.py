"""The release bundle: all that one release number stands for, in one folder that is written once and never changed.

::

    var/releases/<N>/
      manifest.json             what is here, from which data and when, with the hash of every file
      models/query_tower/       SavedModels; N is their TensorFlow Serving version
      models/candidate_tower/
      models/ranker/
      index/item_vectors.npy    candidate embeddings in index order, float32 [n, d]
      articles/                 article ids in index order, metadata codes, sales as of the release
      sources/<name>/           what the candidate sources were fitted to
      images/pca.npz            the PCA of the image embeddings
      metrics.json              how good it was when it was made
"""
