#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Print what guests on each type of network reach, and fail if that is not what document 002 says.

Two guests are booted on each network. The answers come from inside the guests, from the host and from the LAN.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from kvmops_types.machines import Host, Unexpected
from kvmops_types.promises import PROMISED, TYPES, Answers
from kvmops_types.questions import examine, start_guests
from kvmops_types.table import as_text, differences


def main() -> int:
    """Boot the guests, ask, print the table, and fail if anything is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("host", help="a host of the lab on which the networks are")
    parser.add_argument(
        "--types", nargs="+", choices=TYPES, default=list(TYPES)[:-1], help="rows of the table; all but the last one when omitted"
    )
    parser.add_argument(
        "--rows", type=Path, help="a file with rows of earlier calls, which are printed as well; it gets the new ones"
    )
    options = parser.parse_args()
    host = Host(options.host)
    try:
        start_guests(host, [TYPES[key] for key in options.types])
        with ThreadPoolExecutor() as pool:
            asked = list(pool.map(lambda key: examine(host, TYPES[key], PROMISED[key]), options.types))
    except Unexpected as error:
        print(f"reachability: {error}", file=sys.stderr)
        return 1
    rows = dict(zip(options.types, asked, strict=True))
    earlier = {}
    if options.rows and options.rows.exists():
        earlier = {key: Answers(**row) for key, row in json.loads(options.rows.read_text()).items()}
    print(as_text({**earlier, **rows}))
    if options.rows:
        options.rows.write_text(json.dumps({key: asdict(row) for key, row in {**earlier, **rows}.items()}))
    found = differences(rows)
    for difference in found:
        print(f"NOT AS PROMISED  {difference}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
