# SPDX-FileCopyrightText: The kvmops.network authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection.

"""From what a task asks for to the filter that the host has: read, say what is wanted, plan, apply, read again."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kvmops.network.plugins.module_utils._edge.daemon import CONNECTION_OPTIONS, LibvirtError
from ansible_collections.kvmops.network.plugins.module_utils._edge.guests import Guests
from ansible_collections.kvmops.network.plugins.module_utils._edge.nwfilters import NetworkFilters
from ansible_collections.kvmops.network.plugins.module_utils._errors import ApplyError
from ansible_collections.kvmops.network.plugins.module_utils._module import changing_host, run_libvirt_module, see_links
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import filter_from_xml, render_xml
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.options import FILTER_OPTIONS
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.plan import make_plan
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.request import FilterRequest, needs_host_addresses
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.schema import check_schema
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.usage import find_uses
from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.view import describe_filter, describe_usage, make_diff

if t.TYPE_CHECKING:
    import ipaddress

    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.model import Filter
    from ansible_collections.kvmops.network.plugins.module_utils._nwfilter.plan import Plan

    Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

__all__ = ["read_filters", "run_filter_task"]


def run_filter_task() -> t.NoReturn:
    """Run the module that manages one filter."""
    options = {**CONNECTION_OPTIONS, **FILTER_OPTIONS}
    run_libvirt_module(AnsibleModule(argument_spec=options, supports_check_mode=True), _manage)


def _manage(module: AnsibleModule) -> dict[str, t.Any]:
    options = module.params
    request = FilterRequest.from_options(options, _host_addresses(module) if needs_host_addresses(options) else ())
    with changing_host(module) as connection:
        network_filters = NetworkFilters(connection)
        filters = read_filters(network_filters)
        if request.definition is not None:
            given = [options["xml"]] if options["xml"] is not None else []
            check_schema([*given, render_xml(request.definition)], connection.version())
        uses = find_uses(Guests(connection).read_all())
        plan = make_plan(request, filters, uses)
        after = plan.after
        if plan.steps and not module.check_mode:
            after = _carry_out(module, network_filters, plan)
        known = {name: each for name, each in filters.items() if name != request.name}
        if after is not None:
            known[request.name] = after
    result: dict[str, t.Any] = {
        "changed": bool(plan.steps),
        "actions": [str(step) for step in plan.steps],
        "filter": {**describe_filter(request.name, after), **describe_usage(request.name, known, uses)},
    }
    if plan.steps and module._diff:
        result["diff"] = make_diff(plan)
    return result


def _host_addresses(module: AnsibleModule) -> list[Address]:
    """Return the addresses by which guests could reach the host."""
    host = see_links(module)
    addresses = {
        interface.ip
        for link in (host.links.values() if host is not None else ())
        for interface in link.addresses
        if not interface.ip.is_loopback and not interface.ip.is_link_local
    }
    return sorted(addresses, key=lambda address: (address.version, int(address)))


def read_filters(network_filters: NetworkFilters) -> dict[str, Filter]:
    """Return the host's filters by name."""
    return {name: filter_from_xml(text) for name, text in network_filters.read().items()}


def _carry_out(module: AnsibleModule, network_filters: NetworkFilters, plan: Plan) -> Filter | None:
    """Do it, and return the filter as libvirt has it then."""
    try:
        if plan.after is not None:
            network_filters.define(render_xml(plan.after))
        else:
            network_filters.undefine(plan.name)
    except LibvirtError as error:
        # libvirt puts the old filter back where the new one cannot be applied to a NIC
        raise ApplyError(
            f"libvirt refused to {'define' if plan.after is not None else 'remove'} the filter '{plan.name}': {error.reason}. "
            "It is as it was."
        ) from None
    found = read_filters(network_filters).get(plan.name)
    if found != plan.after:
        module.warn(f"libvirt has stored the filter '{plan.name}' otherwise than it was written, see 'filter' in the result.")
    return found
