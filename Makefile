# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

# Every check of this collection. What takes more than a line or two is in tests/tools/.
# Each target first installs what it needs: Debian packages, and Python packages into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
SCENARIO ?=

COLLECTION := .build/collections/ansible_collections/kvmops/network
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.build/collections
export MOLECULE_GLOB := extensions/molecule/*/molecule.yml

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup-lab ## Show the main job on a lab host: networks, guests, who reaches whom
	tests/demo/run

test: setup-lab ## Everything that CI runs
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target images lint
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit-images unit sanity bench-short
	$(MAKE) --no-print-directory molecule

##### Checks, fastest first

lint: lint-python lint-shell lint-yaml lint-docs lint-package ## All static checks

lint-python: setup
	ruff check
	ruff format --check
	mypy

lint-shell: setup
	git grep -lIzE --untracked '^#!.*\b(ba)?sh$$' ':!*.py' | xargs -0 shellcheck

lint-yaml: setup
	yamllint --strict .
	ansible-lint --offline

lint-docs: setup
	antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck --validate-collection-refs=all \
	    --disallow-unknown-collection-refs --check-extra-docs-refs $(COLLECTION)
	antsibull-changelog lint

lint-package: setup
	reuse lint --quiet || reuse lint
	flock .build/package.lock python tests/tools/package.py

unit: setup ## Unit tests; ARGS="-k name" for some of them
	pytest $(ARGS)

unit-images: images ## The modules' unit tests on lab hosts, with each release's Python and libvirt (on newer ones than bullseye: what needs a host); ARGS as for unit
	flock .build/unit-images.lock python tests/tools/unit_images.py $(ARGS)

sanity: setup ## ansible-test sanity
	flock .build/sanity.lock python tests/tools/sanity.py

molecule: setup-lab ## Scenarios on lab hosts, two at a time; SCENARIO="-s name" for one of them
	tests/lab/lab run -- python tests/tools/scenarios.py $(SCENARIO)

proof: images ## What takes longer than CI has time: the oldest and the newest release, the split daemons, an uplink lost and a task killed at any moment
	$(MAKE) --no-print-directory unit-images ARGS="--release trixie"
	KVMOPS_PROOF_ROUNDS=17 KVMOPS_PROOF_RELEASE=bullseye tests/lab/lab run -- molecule test -s change
	KVMOPS_PROOF_RELEASE=bullseye tests/lab/lab run -- molecule test -s nic
	KVMOPS_PROOF_RELEASE=bullseye tests/lab/lab run -- molecule test -s guest
	KVMOPS_PROOF_RELEASE=bullseye tests/lab/lab run -- molecule test -s forward
	KVMOPS_PROOF_RELEASE=forky tests/lab/lab run -- molecule test -s site
	KVMOPS_PROOF_RELEASE=forky tests/lab/lab run -- molecule test -s change
	KVMOPS_PROOF_RELEASE=forky tests/lab/lab run -- molecule test -s nic
	KVMOPS_PROOF_RELEASE=forky tests/lab/lab run -- molecule test -s guest
	KVMOPS_PROOF_RELEASE=forky tests/lab/lab run -- molecule test -s forward
	tests/lab/split-daemons.sh trixie .build/split-daemons.tar
	tests/lab/lab run -- molecule test -s split
	KVMOPS_PROOF_ROUNDS=5 tests/lab/lab run -- molecule test -s uplink
	KVMOPS_PROOF_RELEASE=bookworm tests/lab/lab run -- molecule test -s uplink
	KVMOPS_PROOF_RELEASE=bookworm tests/lab/lab run -- molecule test -s uplink_others

bench: setup-bench ## Measure the collection beside ping, a bare script and community.libvirt: about twelve minutes
	flock .build/bench.lock python tests/benchmark/bench --ansible .build/benchmark-ansible/bin

bench-short: images ## One round of the benchmarks that need nothing installed, to see that they run
	flock .build/bench.lock python tests/benchmark/bench --short

images: setup-lab ## Build the lab's images that are missing
	tests/lab/lab images --release trixie
	tests/lab/lab images --release bookworm
	tests/lab/lab images --release bullseye

##### The rest

setup:
	@PYTHON=$(PYTHON) tests/tools/setup.sh requirements/debian.txt

setup-lab:
	@PYTHON=$(PYTHON) tests/tools/setup.sh requirements/debian.txt tests/lab/packages.txt

setup-bench:
	@PYTHON=$(PYTHON) tests/tools/setup.sh --benchmark requirements/debian.txt tests/lab/packages.txt

requirements: setup ## Pin the newest versions of what requirements/*.in names
	tests/tools/requirements.sh

clean: ## Remove what the checks made and installed here; the lab is kept (tests/lab/lab down)
	rm -rf .venv .build .ansible .hypothesis

.PHONY: $(shell sed -nE 's/^([a-z-]+):.*/\1/p' $(MAKEFILE_LIST))
