# Needs python3 >= 3.11, make and git. Everything else is installed into .venv from uv.lock.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
CORES ?= all
# uv from the PATH, or our own in .uv/
UV := $(shell command -v uv || echo .uv/bin/uv)
RUN := . .venv/bin/activate &&
export UV_PROJECT_ENVIRONMENT := .venv
export PYTHONNOUSERSITE := 1

.PHONY: help setup demo cpu full test test-long lint fix dvc clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.locked ## make .venv from uv.lock

.uv/bin/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 or newer is needed, found " + sys.version)'
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/.locked: uv.lock pyproject.toml | $(filter .uv/bin/uv,$(UV))
	$(UV) sync --frozen --quiet --compile-bytecode
	@touch $@

demo: setup ## embedded data, six models: results/demo/table.csv and pictures
	@$(RUN) wae demo --cores $(CORES)

cpu: setup ## real MNIST at 1/8 width, an evening on a laptop: results/cpu/table.csv
	@$(RUN) snakemake --cores $(CORES) results/cpu/table.csv

full: setup ## the full reproduction, with a GPU: results/table.csv
	@$(RUN) snakemake --cores $(CORES) results/table.csv

test: setup lint ## formatter, linters, types and the tests
	@$(RUN) pytest -n auto --dist loadfile -m "not slow"

test-long: setup ## the slow tests
	@$(RUN) pytest -n auto --dist loadfile -m slow

lint: setup ## formatters, linters and types, without changing anything
	@$(RUN) ruff check . && ruff format --check . && mypy && snakefmt --check Snakefile workflow
	@$(RUN) wae check && snakemake --lint >/dev/null

fix: setup ## apply formatters, render dvc.yaml files and the schema
	@$(RUN) ruff check --fix . ; ruff format . ; snakefmt Snakefile workflow ; wae dvc ; wae schema

dvc: setup ## render every dvc.yaml
	@$(RUN) wae dvc

clean: ## remove results, logs and scratch files; data and environments stay
	rm -rf .snakemake scratch logs/*/ results/*/ results/*.csv results/*.md results/*.tex
