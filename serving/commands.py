"""The command line of serving: ``vitrine model-server``, ``gateway``, ``rollout`` and ``recommend``."""

from __future__ import annotations

from pathlib import Path

import click


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
    help="How often to look for new versions in the base paths.",
)
@click.option("--grpc-max-threads", default=0, help="Calls at once; one more is refused.  [default: 4 per CPU]")
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
