"""The cards of test mode. https://docs.dodopayments.com/miscellaneous/test-mode-vs-live-mode"""

from typing import Literal

from msgspec import Struct

Ending = Literal["succeeded", "failed", "processing"]


class Card(Struct, frozen=True):
    number: str
    ending: Ending
    what: str

    @property
    def last_four(self) -> str:
        return self.number[-4:]

    @property
    def grouped(self) -> str:
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))


CARDS = (
    Card("4242424242424242", "succeeded", "succeeds"),
    Card("4000000000000002", "failed", "is declined"),
    Card(
        "4000000000001000",
        "processing",
        "stays in processing, until the dashboard says how it ends (the sandbox's own)",
    ),
)
BY_ENDING = {card.ending: card for card in CARDS}


def find_card(number: str) -> Card | None:
    digits = "".join(number.split()).replace("-", "")
    return next((card for card in CARDS if card.number == digits), None)
