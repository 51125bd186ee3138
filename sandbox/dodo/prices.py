"""What a cart costs: discounts first, then tax, then the currency of who pays."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from sandbox.dodo.money import rounded
from sandbox.dodo.settings import Settings

MINIMUM = 50
"""Minor units. Dodo names $0.50; for other currencies nothing is published."""


class CartItem(Struct, frozen=True, omit_defaults=True):
    product_id: str
    quantity: int


class Line(Struct, frozen=True, kw_only=True):
    """One product of a payment. `amount` contains `tax`; both in minor units."""

    product_id: str
    quantity: int
    amount: int
    tax: int


class Price(Struct, frozen=True, kw_only=True):
    currency: str
    lines: tuple[Line, ...]
    taxed: bool
    settlement_currency: str
    settlement_amount: int
    settlement_tax: int

    @property
    def total(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines)


class PriceList(Struct, frozen=True, kw_only=True):
    """What one piece of the product costs."""

    unit_price: int
    currency: str
    settings: Settings

    def price(self, cart: Sequence[CartItem], billing_currency: str | None, codes: Sequence[str]) -> Price:
        """Codes must be known. A billing currency without a rate is ignored, as where adaptive pricing is off."""
        rate = self.settings.rates.get(billing_currency or "")
        quantities: dict[str, int] = {}
        for item in cart:
            quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
        settled = [self._line(product, quantity, codes, 1.0) for product, quantity in quantities.items()]
        lines = settled
        if rate is not None:
            lines = [self._line(product, quantity, codes, rate) for product, quantity in quantities.items()]
        return Price(
            currency=self.currency if rate is None or billing_currency is None else billing_currency,
            lines=tuple(lines),
            taxed=self.settings.tax_percent > 0,
            settlement_currency=self.currency,
            settlement_amount=sum(line.amount for line in settled),
            settlement_tax=sum(line.tax for line in settled),
        )

    def _line(self, product_id: str, quantity: int, codes: Sequence[str], rate: float) -> Line:
        price = Decimal(self.unit_price * quantity) * Decimal(str(rate))
        for code in codes:
            price *= 1 - Decimal(str(self.settings.discounts[code])) / 100
        percent = Decimal(str(self.settings.tax_percent))
        if self.settings.tax_inclusive:
            amount = rounded(price)
            tax = rounded(amount * percent / (100 + percent))
        else:
            tax = rounded(rounded(price) * percent / 100)
            amount = rounded(price) + tax
        return Line(product_id=product_id, quantity=quantity, amount=amount, tax=tax)
