import pytest

from domain.money import written


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1250, "USD", "12.50 USD"),
        (5, "EUR", "0.05 EUR"),
        (0, "USD", "0.00 USD"),
        (300, "JPY", "300 JPY"),
        (1500, "KWD", "1.500 KWD"),
        (-250, "USD", "-2.50 USD"),
    ],
)
def test_an_amount_is_written_with_the_digits_of_its_currency(amount: int, currency: str, text: str) -> None:
    assert written(amount, currency) == text
