"""A gateway on a real Redis and a model server that can be told to fail, one pair for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import redis

from infra.base.settings import Settings
from infra.local.ports import free_port
from infra.local.redis import RedisServer
from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.fake_model_server import FakeModelServer


@dataclass
class Rig:
    """A running gateway and what it runs on."""

    address: str
    stub: recommender_pb2_grpc.RecommenderStub
    models: FakeModelServer
    redis: redis.Redis
    redis_server: RedisServer
    settings: Settings

    def recommend(self, customer_id: str = "known", timeout_s: float | None = 5.0, **fields) -> pb.RecommendResponse:
        return self.stub.Recommend(pb.RecommendRequest(customer_id=customer_id, **fields), timeout=timeout_s)

    def refused(self, customer_id: str = "known", **fields) -> grpc.RpcError:
        with pytest.raises(grpc.RpcError) as error:
            self.recommend(customer_id, **fields)
        return error.value


@pytest.fixture(scope="session")
def releases_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Var folder with releases 1 and 2."""
    var = tmp_path_factory.mktemp("gateway-var")
    for number in (1, 2):
        world.write_world_release(var / "releases", number)
    return var / "releases"


@pytest.fixture
def models() -> Iterator[FakeModelServer]:
    server = FakeModelServer({"query_tower": world.query_tower, "ranker": world.ranker}, versions={1, 2})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(releases_dir: Path, models: FakeModelServer, redis_server: RedisServer) -> Settings:
    return Settings(
        var_dir=releases_dir.parent,
        redis_url=redis_server.url,
        kafka_bootstrap_servers=f"127.0.0.1:{free_port()}",  # nobody there
        tf_serving_address=models.address,
        clock="2020-09-20",
    )


@pytest.fixture
def rig(
    settings: Settings, models: FakeModelServer, redis_client: redis.Redis, redis_server: RedisServer
) -> Iterator[Rig]:
    """A gateway that is ready, in a shop that the customer ``known`` has bought in."""
    world.store_shop(redis_client)
    with world.gateway_thread(settings, world.fast_config()) as address, world.stub_of(address) as stub:
        yield Rig(address, stub, models, redis_client, redis_server, settings)
