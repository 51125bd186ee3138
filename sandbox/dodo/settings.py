"""What of the account a test may change while the sandbox runs."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from sandbox.config import SandboxConfig, check_webhook_secret, make_webhook_secret

Mode = Literal["normal", "never", "twice", "forged", "unsigned", "held"]
MODES: tuple[Mode, ...] = ("normal", "never", "twice", "forged", "unsigned", "held")
Percent = Annotated[float, Meta(ge=0, le=100)]
Positive = Annotated[float, Meta(gt=0)]


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """Durations are seconds."""

    webhook_url: str | None = None
    webhook_secret: str
    """Several are separated by spaces, and all of them sign."""

    webhooks: Mode = "normal"
    """How events go out to which no rule of the script applies."""

    webhook_speedup: Positive = 600
    refund_seconds: Annotated[float, Meta(ge=0)] = 1
    tax_percent: Percent = 0
    tax_inclusive: bool = False
    """Whether the product's price contains the tax; else it is added."""

    discounts: dict[str, Percent] = {}
    """Discount codes, and how much each takes off."""

    rates: dict[str, Positive] = {}
    """Adaptive pricing: for each billing currency what one unit of the product's costs in it. Others are ignored."""

    def __post_init__(self) -> None:
        if not self.webhook_secret.split():
            raise ValueError("webhook_secret must not be empty")
        for secret in self.webhook_secret.split():
            check_webhook_secret(secret)

    def change(self, changes: dict[str, Any]) -> None:
        """Set some; msgspec.ValidationError names what cannot be set, and then nothing is."""
        changed = msgspec.convert({**msgspec.to_builtins(self), **changes}, Settings)
        for name in self.__struct_fields__:
            setattr(self, name, getattr(changed, name))


def settings_at_start(config: SandboxConfig) -> Settings:
    return Settings(
        webhook_url=config.dodo_webhook_url,
        webhook_secret=config.dodo_webhook_secret or make_webhook_secret(),
        webhook_speedup=config.dodo_webhook_speedup,
        refund_seconds=config.dodo_refund_seconds,
        tax_percent=config.dodo_tax_percent,
    )
