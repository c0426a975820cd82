"""What one evaluation found, for people and programs: on the ``terminal``, as a page (``markdown``), as a release keeps
it (``metrics_json``), as ``figures``, and all ``files`` of a run. ``tables`` has what terminal and page share;
``ablation`` is the same for what each part of the system is worth.
"""
