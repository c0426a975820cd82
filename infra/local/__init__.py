"""The local stack: real Redis, Kafka and model server on one machine, without root, Docker or an installed Java.

Every service is a child process that cannot outlive the process which started it: stopped by process id, killed by the
kernel when its starter is killed. ``stack`` starts and supervises them all; ``RedisServer``, ``KafkaServer`` and
``ModelServer`` stand alone as well, which is how the tests use them.
"""
