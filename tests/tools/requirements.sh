#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

# Resolves requirements/*.in, newest versions first, for every Python that can run the development tools; those of the
# lab's images for every Python that can run the modules.

set -euo pipefail
cd "$(dirname "$0")/../../requirements"
new=$(mktemp)
trap 'rm -f "$new"' EXIT
for wanted in *.in; do
    oldest=3.11
    if [[ $wanted == images.in ]]; then oldest=3.9; fi
    uv pip compile --quiet --universal --upgrade --python-version "$oldest" --no-annotate \
        --custom-compile-command 'make requirements' --output-file "$new" "$wanted"
    sed -n '/SPDX/p' "$wanted" | cat - "$new" >"${wanted%.in}.txt"
done
