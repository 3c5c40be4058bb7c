# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Have Python compile each source once that it gets in a zip archive.

Ansible sends a module with all that it imports as sources in an archive, which Python compiles whenever the module runs: half of
the processor time of a small one. Hosts of scenarios have this beside a .pth file, modules on the controller by PYTHONPATH.
"""

import _imp
import marshal
import os
import sys
import zipimport

_FOLDER = f"/var/cache/kvmops-lab/compiled/{sys.implementation.cache_tag}"
_compile = zipimport._compile_source


def _compile_once(pathname, source):
    path = f"{_FOLDER}/{_imp.source_hash(0, source).hex()}"
    try:
        with open(path, "rb") as file:
            return marshal.loads(file.read())
    except OSError:
        pass
    code = _compile(pathname, source)
    try:
        os.makedirs(_FOLDER, exist_ok=True)
        with open(f"{path}.{os.getpid()}", "wb") as file:
            file.write(marshal.dumps(code))
        os.replace(f"{path}.{os.getpid()}", path)
    except OSError:
        pass  # somebody other than root
    return code


zipimport._compile_source = _compile_once
