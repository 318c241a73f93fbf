"""The settings on the gateway's page are those of the gateway."""

from gateway.settings import GatewaySettings
from tools.gateway_settings import GATEWAY, settings_table


def test_the_section_in_the_tree_is_up_to_date() -> None:
    assert GATEWAY.stale() == []


def test_every_setting_is_listed_with_what_it_is() -> None:
    table = settings_table()
    for name, field in GatewaySettings.model_fields.items():
        assert f"| `GATEWAY_{name.upper()}` |" in table
        assert field.description, f"{name} has no description"
