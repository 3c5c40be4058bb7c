# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""What guests on each type of network reach, asked and compared with what is promised."""
