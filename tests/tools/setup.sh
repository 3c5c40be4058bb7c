#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

# Installs what the checks need, and only what is missing: the Debian packages listed in the files given as
# arguments, the Python packages of requirements/development.txt in .venv, and the path under which Ansible
# finds the collection. Safe to repeat, also after being killed, and to run twice at a time.

set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
requirements=requirements/development.txt
collection=.build/collections/ansible_collections/kvmops/network

mkdir -p .build
exec 9>.build/setup.lock
flock 9

packages=$(sed 's/#.*//' "$@" | xargs)
# shellcheck disable=SC2086 # one word per package
missing=$(comm -23 <(printf '%s\n' $packages | sort -u) \
    <(dpkg-query -Wf '${db:Status-Abbrev}${Package}\n' $packages 2>/dev/null | sed -n 's/^ii //p' | sort -u))
if [[ -n $missing ]]; then
    echo "Installing Debian packages:" "$missing"
    if ((EUID != 0)); then
        echo "This needs root; or install them yourself and try again." >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -qq --yes --no-install-recommends $missing </dev/null >/dev/null
fi

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "The development tools need Python 3.11 or later; $python is $("$python" --version 2>&1)." >&2
    echo "Name another one: make PYTHON=/path/to/python3 ..." >&2
    exit 1
fi

stamp="$("$python" -c 'import sys; print(sys.version, sys.base_prefix)') $(sha256sum <$requirements) $PWD"
if [[ $(cat .venv/stamp 2>/dev/null) != "$stamp" ]]; then
    echo "Installing Python packages in .venv (about a minute)"
    "$python" -m venv --clear .venv
    .venv/bin/pip install --quiet --no-deps --requirement $requirements
    .venv/bin/pip check
    echo "$stamp" >.venv/stamp
fi

if [[ ! $collection -ef . ]]; then
    mkdir -p "$(dirname $collection)"
    ln -sfn ../../../.. $collection
fi
