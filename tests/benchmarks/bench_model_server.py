"""Predict of a ranker-shaped model (200 x 119 floats through 64-32-1) on the embedded model server.

The peer is a bare gRPC echo of the same request in the same Python, which is the floor of any Python server here.
TensorFlow Serving itself was measured on another, idle machine of two cores: p50 0.78 ms, p99 0.97 ms.

    pytest tests/benchmarks/bench_model_server.py --override-ini python_files='bench_*.py' -s
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest

from infra.base.figures import Figure, write_figures
from infra.base.settings import Settings
from infra.local.model_server import ModelServer
from serving.tf_serving.prediction import PredictionClient, predict_request
from tests.serving.blocking_predictions import BlockingPredictions

CALLS = 3_000
IN_FLIGHT = 16
FEATURES = np.random.default_rng(0).random((200, 119), np.float32)
ECHO = """
import grpc, sys
from concurrent import futures
server = grpc.server(futures.ThreadPoolExecutor(64))
echo = grpc.unary_unary_rpc_method_handler(lambda request, context: request[:1000])
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo", {"Echo": echo}),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
"""


def save_ranker(folder: Path) -> None:
    import tensorflow as tf

    class Ranker(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 119], tf.float32, name="features")])
        def score(self, features):
            for weights in self.layers[:-1]:
                features = tf.nn.relu(features @ weights)
            return {"score": tf.sigmoid(tf.squeeze(features @ self.layers[-1], -1))}

    ranker = Ranker()
    generator = np.random.default_rng(0)
    ranker.layers = [tf.Variable(generator.normal(0, 0.1, s).astype("f4")) for s in ((119, 64), (64, 32), (32, 1))]
    tf.saved_model.save(ranker, str(folder), signatures={"serving_default": ranker.score})


@pytest.fixture
def server(tmp_path):
    save_ranker(tmp_path / "models" / "ranker" / "1")
    (tmp_path / "models" / "models.config").write_text(
        f'model_config_list {{ config {{ name: "ranker" base_path: "{tmp_path / "models" / "ranker"}" '
        'model_platform: "tensorflow" } }'
    )
    with ModelServer.start(tmp_path / "models", tmp_path / "logs") as server:
        yield server


@pytest.fixture
def echo_address():
    process = subprocess.Popen([sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield f"127.0.0.1:{process.stdout.readline().strip()}"
    process.kill()
    process.wait()


def one_after_another(call):
    """Milliseconds of each call."""
    took = []
    for _ in range(CALLS):
        started = time.perf_counter()
        call()
        took.append((time.perf_counter() - started) * 1e3)
    return np.percentile(took[CALLS // 10 :], [50, 99])


def many_at_once(address):
    """Calls a second and milliseconds of each with 16 in flight on one asyncio channel, as a gateway has it."""

    async def ask():
        took = []
        async with grpc.aio.insecure_channel(address) as channel:
            client = PredictionClient(channel)

            async def worker():
                for _ in range(CALLS // IN_FLIGHT):
                    started = time.perf_counter()
                    await client.predict("ranker", {"features": FEATURES}, version=1)
                    took.append((time.perf_counter() - started) * 1e3)

            await worker()
            took.clear()
            started = time.perf_counter()
            await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
            return len(took) / (time.perf_counter() - started), *np.percentile(took, [50, 99])

    return asyncio.run(ask())


def test_predict_of_a_ranker(server, echo_address):
    with grpc.insecure_channel(server.address) as channel, grpc.insecure_channel(echo_address) as echo_channel:
        client = BlockingPredictions(channel)
        echo = echo_channel.unary_unary("/echo/Echo")
        request = predict_request("ranker", {"features": FEATURES}, version=1).SerializeToString()
        for _ in range(300):
            client.predict("ranker", {"features": FEATURES}, version=1)
            echo(request)
        echo_p50, echo_p99 = one_after_another(lambda: echo(request))
        p50, p99 = one_after_another(lambda: client.predict("ranker", {"features": FEATURES}, version=1))
    per_second, many_p50, many_p99 = many_at_once(server.address)
    memory = psutil.Process(server.pid).memory_info().rss / 2**20
    figures = {
        "predict_ms_p50": Figure(p50, "ms", "bare gRPC echo in Python", echo_p50),
        "predict_ms_p99": Figure(p99, "ms", "bare gRPC echo in Python", echo_p99),
        "predict_16_in_flight_per_s": Figure(per_second, "1/s"),
        "predict_16_in_flight_ms_p50": Figure(many_p50, "ms"),
        "predict_16_in_flight_ms_p99": Figure(many_p99, "ms"),
        "memory_mib": Figure(memory, "MiB"),
    }
    print()
    for name, figure in figures.items():
        peer = f"   {figure.peer}: {figure.peer_value:.2f}" if figure.peer_value else ""
        print(f"{name:28s} {figure.value:10.2f} {figure.unit}{peer}")
    write_figures(Settings.from_environment().reports_dir, "model_server", figures)
