#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors

# Installs what the checks need, and only what is missing: the Debian packages listed in the files given as
# arguments, the pinned Python packages in venvs, and the path under which Ansible finds the collection. With
# --benchmark as first argument also what the collection is measured against.
# Safe to repeat, also after being killed, and to run twice at a time.

set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
collection=.build/collections/ansible_collections/kvmops/network
benchmark=false
if [[ ${1:-} == --benchmark ]]; then
    benchmark=true
    shift
fi

mkdir -p .build
exec 9>.build/setup.lock
flock 9

install_packages() {
    local packages missing
    packages=$(sed 's/#.*//' "$@" | xargs)
    # shellcheck disable=SC2086 # one word per package
    missing=$(comm -23 <(printf '%s\n' $packages | sort -u) \
        <(dpkg-query -Wf '${db:Status-Abbrev}${Package}\n' $packages 2>/dev/null | sed -n 's/^ii //p' | sort -u) | xargs)
    [[ -n $missing ]] || return 0
    echo "Installing Debian packages: $missing"
    if ((EUID != 0)); then
        echo "This needs root; or install them yourself and try again." >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    dpkg --configure -a >/dev/null # an installation may have been interrupted
    apt-get update -qq
    # shellcheck disable=SC2086 # one word per package
    apt-get install -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null >/dev/null
}

check_python() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' && return
    echo "The development tools need Python 3.11 or later; $python is $("$python" --version 2>&1)." >&2
    echo "Name another one: make PYTHON=/path/to/python3 ..." >&2
    exit 1
}

# The stamp is written last: a venv that was begun, or made for other requirements, is made anew.
install_venv() {
    local venv=$1 requirements=$2 stamp
    stamp="$("$python" -c 'import sys; print(sys.version, sys.base_prefix)') $(sha256sum <"$requirements") $PWD"
    [[ $(cat "$venv/stamp" 2>/dev/null) != "$stamp" ]] || return 0
    echo "Installing Python packages in $venv"
    "$python" -m venv --clear "$venv"
    "$venv/bin/pip" install -qq --no-deps --requirement "$requirements"
    "$venv/bin/pip" check >/dev/null
    echo "$stamp" >"$venv/stamp"
}

install_packages "$@"
check_python
install_venv .venv requirements/development.txt
install_venv .build/galaxy-importer requirements/galaxy-importer.txt
if $benchmark; then install_venv .build/benchmark-ansible requirements/benchmark.txt; fi
if [[ ! $collection -ef . ]]; then
    mkdir -p "$(dirname $collection)"
    ln -sfn ../../../.. $collection
fi
