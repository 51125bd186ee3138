"""Money: whole minor units beside an ISO 4217 code."""

_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}
"""Digits behind the point of the currencies that have other than two (ISO 4217, list one)."""


def written(amount: int, currency: str) -> str:
    """An amount for people: `12.50 USD` for 1250, `300 JPY` for 300."""
    digits = _DIGITS.get(currency, 2)
    sign, text = ("-" if amount < 0 else ""), str(abs(amount)).rjust(digits + 1, "0")
    whole, fraction = (text[:-digits], f".{text[-digits:]}") if digits else (text, "")
    return f"{sign}{whole}{fraction} {currency}"
