"""The command line of serving: ``vitrine model-server``, ``gateway``, ``rollout`` and ``recommend``."""

from __future__ import annotations

from pathlib import Path

import click

from infra.base.addresses import checked_host


class Host(click.ParamType):
    """An address to listen on, without its port."""

    name = "host"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return checked_host(value)
        except ValueError:
            self.fail(f"{value!r} is no host; give a name or an address such as 127.0.0.1 or ::1, without port")


PORT = click.IntRange(1, 65_535)


@click.command("model-server")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8500, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--model-config-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="ModelServerConfig in protobuf's text form; may appear later.",
)
@click.option(
    "--model-config-file-poll-wait-seconds",
    default=1.0,
    show_default=True,
    help="How often to look whether the file has changed; 0: never.",
)
@click.option(
    "--file-system-poll-wait-seconds",
    default=1.0,
    show_default=True,
    help="How often to look for new versions in the base paths; 0: once.",
)
@click.option(
    "--max-num-load-retries",
    default=5,
    show_default=True,
    help="How often to try a version again that could not be loaded; it is tried anew when its folder changes.",
)
@click.option(
    "--load-retry-interval-micros", default=60_000_000, show_default=True, help="Microseconds between such tries."
)
@click.option("--grpc-max-threads", default=64, show_default=True, help="Calls at once; one more is refused.")
@click.option(
    "--allow-version-labels-for-unavailable-models",
    is_flag=True,
    help="Let new labels name versions that are not loaded yet; needed to start with labels in the file.",
)
@click.option(
    "--enable-serialization-as-tensor-content",
    is_flag=True,
    help="Answer with packed tensors; cheaper where outputs are large.",
)
@click.option(
    "--port-file", type=click.Path(dir_okay=False, path_type=Path), help="Write the port here once it answers."
)
def model_server(port_file: Path | None, **options: object) -> None:
    """Host SavedModels under TensorFlow Serving's gRPC services.

    The embedded stand-in for one machine: flags, status codes and messages are TensorFlow Serving's, so that the real
    one takes its place by VITRINE_TF_SERVING_ADDRESS alone.
    """
    from serving.model_server.process import serve

    serve(options, port_file)


@click.command("gateway")
@click.option(
    "--host", type=Host(), help="Address to listen on.  [default: of VITRINE_GATEWAY_ADDRESS, else 127.0.0.1]"
)
@click.option(
    "--port",
    type=PORT,
    help="Port to listen on.  [default: of VITRINE_GATEWAY_ADDRESS, else 50051]",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes on that port.")
@click.option("--metrics-port", type=PORT, help="Serve Prometheus metrics here; worker n at n ports further.")
def gateway(host: str | None, port: int | None, workers: int, metrics_port: int | None) -> None:
    """Answer vitrine.v1.Recommender over gRPC from the release that is promoted.

    Not serving (by the standard health service) until a release is loaded and warmed up; afterwards it answers whatever
    else is down, and says what was missing.
    """
    import os

    # Its matrices are small: threads would only wait for each other. Read when numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from infra.base.addresses import split_address
    from infra.base.settings import Settings
    from serving.gateway.server import GatewayConfig
    from serving.gateway.workers import run

    settings = Settings.from_environment()
    own_host, own_port = split_address(settings.gateway_address)
    config = GatewayConfig(host=host or own_host, port=port or own_port, metrics_port=metrics_port)
    run(settings, config, workers)


@click.command("recommend")
@click.argument("customer")
@click.option("--count", default=12, show_default=True, help="How many articles, 1 to 100.")
@click.option("--index-group", "index_groups", multiple=True, help="Only articles of this group; may be repeated.")
@click.option("--viewing", default="", help="Article that the customer is looking at.")
@click.option("--timeout-ms", default=2_000, show_default=True, help="Deadline of the call.")
def recommend(customer: str, count: int, index_groups: tuple[str, ...], viewing: str, timeout_ms: int) -> None:
    """Ask the running gateway what to show CUSTOMER now."""
    from rich.console import Console

    from infra.base.settings import Settings
    from serving.gateway.terminal import show_recommendations
    from serving.proto import recommender_pb2 as pb

    request = pb.RecommendRequest(
        customer_id=customer,
        count=count,
        context_article_id=viewing,
        surface="terminal",
        filters=pb.Filters(index_groups=index_groups),
    )
    show_recommendations(Settings.from_environment().gateway_address, request, timeout_ms / 1e3, Console())


@click.group("rollout")
def rollout() -> None:
    """Stage, promote or roll back a release.

    A release is a folder of var/releases, named by its number. Every step may be repeated.
    """


@rollout.command("stage")
@click.argument("release", type=int)
@click.option("--timeout-seconds", default=120.0, show_default=True, help="How long its models may take to load.")
def rollout_stage(release: int, timeout_seconds: float) -> None:
    """Load RELEASE beside the one that serves; no customer sees it yet."""
    from infra.base.settings import Settings
    from serving.rollout.rollout import stage

    stage(Settings.from_environment(), release, timeout_s=timeout_seconds)


@rollout.command("promote")
@click.argument("release", type=int)
def rollout_promote(release: int) -> None:
    """Let RELEASE, which is staged, serve. The one before stays loaded."""
    from infra.base.settings import Settings
    from serving.rollout.rollout import promote

    promote(Settings.from_environment(), release)


@rollout.command("rollback")
@click.argument("release", type=int, required=False)
def rollout_rollback(release: int | None) -> None:
    """Return to the release that was stable before. RELEASE, if given, must be that one."""
    from infra.base.settings import Settings
    from serving.rollout.rollout import rollback

    rollback(Settings.from_environment(), release)


@rollout.command("status")
def rollout_status() -> None:
    """Show which releases are loaded and which one serves."""
    from infra.base.progress import console
    from infra.base.settings import Settings
    from serving.rollout.overview import overview

    console.print(overview(Settings.from_environment()))
