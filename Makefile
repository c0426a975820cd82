# make demo   set-up and the whole story on the terminal (DATA=folder for your own files in Kaggle's H&M layout,
#             REJECT_FILE=file for their bad rows, TIME_ZONE=Europe/Stockholm for dates with a time zone)
# make test   set-up and all tests (AFTER_COVERAGE=1: without those that `make coverage` has just run)
# make up     everything running until Ctrl-C, with the same variables
# make lint   ruff, mypy and who may import whom
# make coverage  how much of the pure rooms their own tests run, with a floor
# make proto  generate serving/proto/*_pb2*.py from the .proto files
# make torture          kill workers, Redis and Kafka fifty times while purchases stream; every window must be right
#                       (CLUSTER=1: on a Redis Cluster, whose masters lose their last second or everything)
# make chaos-gateway    kill and stop Redis, Kafka and the model server for three minutes while customers ask a gateway;
#                       every call must be answered in time, and fully within two seconds of a recovery
# make bench-streaming  purchases a second, milliseconds from purchase to online value
# make bench-gateway    Recommend beside a straight composition and its floor, alone and under load
# make lock   resolve requirements.lock anew from pyproject.toml

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.complete
export TF_CPP_MIN_LOG_LEVEL ?= 2
export TF_USE_LEGACY_KERAS := 1

PURE_ROOMS := serving.retrieval streaming.windows
PURE_TESTS := tests/serving/retrieval tests/serving/ranking/test_find_candidates.py tests/towers/training/counts \
  $(addprefix tests/streaming/windows/,test_aggregations.py test_column_fold.py test_tile_columns.py test_new_aggregation.py)

READING = $(if $(DATA),--data "$(DATA)") $(if $(REJECT_FILE),--reject-file "$(REJECT_FILE)") \
  $(if $(TIME_ZONE),--time-zone "$(TIME_ZONE)")

.PHONY: setup demo up test lint coverage lock proto bench bench-gateway bench-streaming torture chaos-gateway clean

setup: $(SETUP)

# uv installs the same pinned, hashed files as pip, about ten times faster.
$(SETUP): requirements.lock requirements-tools.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock requirements-tools.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(SETUP)
	@$(BIN)/vitrine demo $(READING)

up: $(SETUP)
	@$(BIN)/vitrine up $(READING)

test: $(SETUP)
	@$(BIN)/python -m pytest $(if $(AFTER_COVERAGE),$(addprefix --ignore=,$(PURE_TESTS)))

lint: $(SETUP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Of the pure rooms only. Python 3.11 has no cheap tracing: tests that compute take 63 to 68 s instead of 37 to 45, which
# the whole suite cannot afford, and what it runs in processes of their own would not be seen.
coverage: $(SETUP)
	@$(BIN)/python -m pytest $(PURE_TESTS) $(addprefix --cov=,$(PURE_ROOMS)) --cov-report=term-missing:skip-covered \
	  --cov-fail-under=97

bench: $(SETUP)
	@$(BIN)/python -m pytest tests/benchmarks --override-ini python_files='bench_*.py' -s

lock: $(SETUP)
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --extra dev -o requirements.lock pyproject.toml requirements-build.in
	@echo uv | $(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-annotate --python-version 3.11 -o requirements-tools.lock -

proto: $(SETUP)
	@$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. $(wildcard serving/proto/*.proto)
	@$(BIN)/python -m grpc_tools.protoc -I. --grpc_python_out=. serving/proto/recommender.proto

bench-gateway: $(SETUP)
	@$(BIN)/python -m pytest tests/benchmarks/bench_gateway.py --override-ini python_files='bench_*.py' -s

bench-streaming: $(SETUP)
	@$(BIN)/python -m pytest tests/benchmarks/bench_streaming.py --override-ini python_files='bench_*.py' -s

torture: $(SETUP)
	@$(BIN)/python -m tests.streaming.crash_campaign $(if $(CLUSTER),--cluster)

chaos-gateway: $(SETUP)
	@$(BIN)/python -m tests.serving.gateway.chaos $(if $(SECONDS),--seconds $(SECONDS))

clean:
	rm -rf var
