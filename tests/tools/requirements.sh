#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

# Resolves requirements/development.in for every Python that can run the development tools, newest versions first.

set -euo pipefail
cd "$(dirname "$0")/../../requirements"
new=$(mktemp)
trap 'rm -f "$new"' EXIT
uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-emit-index-url --no-emit-find-links \
    --custom-compile-command 'make requirements' --no-annotate --output-file "$new" development.in
{
    sed -n '/SPDX/p' development.in
    cat "$new"
} >development.txt
