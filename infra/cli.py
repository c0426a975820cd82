"""The ``vitrine`` command: one subcommand per job, each imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from infra.base.errors import UserError

# name -> (module:attribute, one line for --help)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("infra.demo.commands:demo", "Tell the whole story on the terminal, on real parts."),
    "up": ("infra.demo.commands:up", "Build everything and keep serving until Ctrl-C."),
    "synthesize": ("infra.synthetic.commands:synthesize", "Write a synthetic shop in the layout of the Kaggle files."),
    "ingest": ("feature_repo.commands:ingest", "Validate purchase files and write them as Parquet tables."),
    "features": ("feature_repo.commands:features", "Compute Feast's offline tables, correct in time."),
    "materialize": ("feature_repo.commands:materialize", "Load the online store from the offline tables, fast."),
    "images": ("towers.commands:images", "Embed the articles' pictures and reduce them by PCA."),
    "train": ("towers.commands:train", "Train the towers and the ranker and write a release bundle."),
    "evaluate": ("towers.commands:evaluate", "Measure a release against popularity and simple rules."),
    "ablate": ("towers.commands:ablate", "Measure what each part of the models is worth: train without it."),
    "model-server": ("serving.commands:model_server", "Host SavedModels under TensorFlow Serving's gRPC services."),
    "gateway": ("serving.commands:gateway", "Answer Recommend calls over gRPC."),
    "rollout": ("serving.commands:rollout", "Stage, promote or roll back a release."),
    "recommend": ("serving.commands:recommend", "Ask a running gateway for one customer's recommendations."),
    "stream": ("streaming.commands:stream", "Update the 30-day features from Kafka."),
    "replay": ("streaming.commands:replay", "Send purchase files into Kafka at a chosen speed."),
    "dead-letters": ("streaming.commands:dead_letters", "List events that could not be used, or put them back."),
    "stack": ("infra.local.commands:stack", "Start, show or stop the local Redis, Kafka and model server."),
}


# What files and folders are refused for that a user names: no permission, a file in place of a folder, no room.
_FOLDER_TROUBLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOSPC, errno.EDQUOT}


class LazyGroup(click.Group):
    """A click group that knows its commands' names and one-line helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vitrine")
def cli() -> None:
    """Vitrine: a real-time fashion recommender.

    Services are found by VITRINE_REDIS_URL, VITRINE_KAFKA_BOOTSTRAP_SERVERS, VITRINE_TF_SERVING_ADDRESS and
    VITRINE_GATEWAY_ADDRESS, else at the local stack that is running. Working files live under VITRINE_VAR (var/).
    """


def main() -> None:
    """Entry point: errors that a user can mend are one line, not a traceback."""
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        cli.main(prog_name="vitrine", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except UserError as error:
        click.echo(f"vitrine: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _FOLDER_TROUBLE or error.filename is None:
            raise
        click.echo(f"vitrine: {error.filename}: {error.strerror}; give a place that can be written", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
