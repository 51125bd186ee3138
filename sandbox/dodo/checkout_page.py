"""The page on which a customer pays."""

from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from litestar import Response

from sandbox.dodo.cards import CARDS
from sandbox.dodo.checkouts import Session
from sandbox.dodo.look import page
from sandbox.dodo.money import shown
from sandbox.dodo.payments import Payment
from sandbox.dodo.prices import Price

ENDINGS = {"succeeded": "Paid", "failed": "Your card was declined", "processing": "Your payment is being processed"}


def checkout_page(session: Session, price: Price, *, takes_codes: bool, wrong: str | None = None) -> Response[str]:
    """`wrong` is what was not right about the last try, which has used nothing up."""
    asks_code = takes_codes and session.request.feature_flags.allow_discount_code
    hint = "" if wrong is None else f'<p class="wrong">{escape(wrong)}</p>'
    return page(
        f"Pay {shown(price.total, price.currency)}",
        f"""<p>No money moves: this page is made up, and so are its cards.</p>
{hint}{summary(price)}
<form method="post">
{payer(session)}
<label>Card number <input name="card" inputmode="numeric" autocomplete="off" required list="cards"
  value="{CARDS[0].grouped}"></label>
<datalist id="cards">{"".join(f'<option value="{card.grouped}">' for card in CARDS)}</datalist>
<div class="pair"><label>Expires <input name="expiry" autocomplete="off" value="06/32"></label>
<label>CVC <input name="cvc" autocomplete="off" inputmode="numeric" value="123"></label></div>
{'<label>Discount code <input name="discount_code" autocomplete="off"></label>' if asks_code else ""}
<ul class="cards">{"".join(f"<li><b>{card.grouped}</b> {escape(card.what)}</li>" for card in CARDS)}</ul>
<button class="whole">Pay {escape(shown(price.total, price.currency))}</button>
</form>
{way_back(session)}""",
        status_code=200 if wrong is None else 422,
    )


def summary(price: Price) -> str:
    rows = "".join(
        f"<dt>{line.quantity} x <code>{escape(line.product_id)}</code></dt>"
        f"<dd>{escape(shown(line.amount - line.tax, price.currency))}</dd>"
        for line in price.lines
    )
    tax = f"<dt>Tax</dt><dd>{escape(shown(price.tax, price.currency))}</dd>" if price.taxed else ""
    total = f'<dt class="total">Total</dt><dd class="total">{escape(shown(price.total, price.currency))}</dd>'
    return f'<dl class="sum">{rows}{tax}{total}</dl>'


def payer(session: Session) -> str:
    if session.customer is not None:
        return f"<p>{escape(session.customer.name)}, <b>{escape(session.customer.email)}</b></p>"
    return """<label>E-mail <input name="email" type="email" required value="customer@example.com"></label>
<label>Name <input name="name"></label>"""


def way_back(session: Session) -> str:
    """As at Dodo, there is one only where the session names an address for it."""
    if session.request.cancel_url is None:
        return ""
    return '<form method="post"><button class="no whole" name="cancel" value="true">Cancel</button></form>'


def end_page(payment: Payment) -> Response[str]:
    """Where a session names no way back, its payment ends here."""
    amount = shown(payment.price.total, payment.price.currency)
    return page(ENDINGS[payment.status], f"<p>{escape(amount)}, <code>{payment.payment_id}</code></p>")


def return_address(url: str, payment: Payment) -> str:
    """The way back, with what the frontend is told; a query that it has already is kept."""
    parts = urlsplit(url)
    told = {"payment_id": payment.payment_id, "status": payment.status, "email": payment.customer.email}
    query = "&".join(part for part in (parts.query, urlencode(told)) if part)
    return urlunsplit(parts._replace(query=query))
