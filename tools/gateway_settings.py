"""Writes the generated section of docs/gateway.md: what the gateway is told by its environment."""

import sys

from gateway.settings import GatewaySettings
from tools.sections import ROOT, Page, run, table


def settings_table() -> str:
    """Every setting, its default and what it is; in the order of the class."""
    prefix = GatewaySettings.model_config.get("env_prefix", "")
    rows = [
        (f"`{prefix}{name.upper()}`", _default(field.default), field.description or "")
        for name, field in GatewaySettings.model_fields.items()
    ]
    return table(("variable", "default", "what it is"), rows)


def _default(value: object) -> str:
    if isinstance(value, tuple):
        value = ",".join(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(value, str | int | float) or value == "":  # a path below the checkout, or nothing
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


GATEWAY = Page(ROOT / "docs" / "gateway.md", {"settings": settings_table})

if __name__ == "__main__":
    sys.exit(run(GATEWAY, "python -m tools.gateway_settings", __doc__))
