"""Every table of the suite, by subject."""

from typing import Any

from tests.gateway.conformance.tables import (
    aliases,
    bindings,
    bodies,
    browsers,
    compression,
    created,
    deadlines,
    documents,
    errors,
    etags,
    headers,
    http_body,
    idempotency,
    json_in,
    json_out,
    leniency,
    limits,
    masks,
    options_head,
    percent_encoding,
    precedence,
    query,
    standard_methods,
    status_codes,
    streams_in,
    streams_out,
    templates,
    web_sockets,
    well_known_types,
)

TABLES = {
    module.__name__.rpartition(".")[2]: module.CASES
    for module in (
        templates,
        precedence,
        percent_encoding,
        bindings,
        query,
        bodies,
        json_in,
        json_out,
        well_known_types,
        masks,
        standard_methods,
        etags,
        idempotency,
        created,
        options_head,
        aliases,
        headers,
        deadlines,
        errors,
        status_codes,
        streams_out,
        streams_in,
        http_body,
        web_sockets,
        limits,
        compression,
        browsers,
        leniency,
        documents,
    )
}

SETTINGS: dict[str, dict[str, Any]] = {"browsers": browsers.SETTINGS, "leniency": leniency.SETTINGS}
"""Settings of the gateway for tables that need some, whose values have as many types as settings have."""
