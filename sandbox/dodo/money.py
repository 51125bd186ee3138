"""Amounts: whole minor units in JSON, with a point on pages."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

WITHOUT_MINOR_UNITS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""ISO 4217: currencies whose smallest unit is the whole."""


def places(currency: str) -> int:
    return 0 if currency in WITHOUT_MINOR_UNITS else 2


def shown(amount: int, currency: str) -> str:
    return f"{Decimal(amount).scaleb(-places(currency)):,.{places(currency)}f} {currency}"


def parsed(text: str, currency: str) -> int:
    """Minor units of what somebody typed, such as `1.50`; ValueError when it is no amount of this currency."""
    try:
        amount = Decimal(text.strip().replace(",", ".")).scaleb(places(currency))
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no amount") from error
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise ValueError(f"{text!r} is no amount of {currency}")
    return int(amount)


def rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
