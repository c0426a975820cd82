"""The floor: what every room may import, and what imports no room.

``settings`` says where things are, with ``addresses`` and ``redis_url`` to read them; ``clock`` is where "now" is
chosen, ``calendar`` how days and instants are counted; ``errors`` has the error that a user can mend; ``durable``,
``lock``, ``process_identity`` and ``native_logs`` deal with the operating system, ``worker_processes`` keeps processes
running; ``progress`` and ``figures`` show and write what is done and measured.
"""
