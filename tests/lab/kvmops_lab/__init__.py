# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: The kvmops.network authors
"""Hosts, guests and a LAN for tests, on one Linux machine."""
