"""The page on which somebody plays the merchant, the banks and the bad luck."""

from html import escape
from itertools import islice

from litestar import Response

from sandbox.dodo.business import Business
from sandbox.dodo.deliveries import Delivery
from sandbox.dodo.disputes import Dispute
from sandbox.dodo.look import page
from sandbox.dodo.money import shown
from sandbox.dodo.payments import Payment
from sandbox.dodo.settings import MODES

SHOWN = 100
GOOD = frozenset({"succeeded", "delivered", "won"})
BAD = frozenset({"failed", "lost", "dropped", "expired", "accepted"})
ENDINGS = {
    "challenged": "Challenge",
    "won": "Won",
    "lost": "Lost",
    "accepted": "Accept",
    "cancelled": "Cancel",
    "expired": "Expire",
}
"""What may become of a dispute, and its button."""

AMOUNT = '<input name="amount" inputmode="decimal" required aria-label="How much is refunded" placeholder="1.00">'

SWITCH = {
    "normal": "deliver them",
    "never": "drop them",
    "held": "hold them back",
    "twice": "deliver each twice",
    "forged": "sign them with a wrong key",
    "unsigned": "leave the signature out",
}


def dashboard(business: Business) -> Response[str]:
    payments = list(islice(reversed(business.payments.values()), SHOWN))
    deliveries = list(islice(reversed(business.deliveries.oldest_first()), SHOWN))
    nothing = "<p>Nothing yet. Reload to look again.</p>"
    return page(
        "Dashboard",
        f"""<p>Here you are the merchant and the banks. Newest first, the latest {SHOWN}; reload to look again. The same
for programs is below <code>/dodo/__control</code>.</p>
<h2 id="payments">Payments</h2>
{"".join(payment_article(payment) for payment in payments) or nothing}
<h2 id="webhooks">Webhooks</h2>
{switchboard(business)}
{"".join(delivery_article(delivery) for delivery in deliveries) or nothing}""",
        wide=True,
    )


def payment_article(payment: Payment) -> str:
    path = f"payments/{payment.payment_id}"
    buttons = ""
    if payment.status == "succeeded":
        if payment.refundable > 0:
            buttons += button(f"{path}/refund", "Refund the rest" if payment.refund_status else "Refund in full")
            buttons += button(f"{path}/refund", "Refund a part", field=AMOUNT)
        buttons += button(f"{path}/dispute", "Open a dispute")
    if payment.status == "processing":
        for status, word in (("succeeded", "Let it succeed"), ("failed", "Let it fail"), ("cancelled", "Cancel it")):
            buttons += button(f"{path}/status", word, status)
    refunds = "".join(
        f'<p class="sub">Refund of {escape(shown(refund.amount, refund.currency))} {mark(refund.status)} '
        f"<code>{refund.refund_id}</code></p>"
        for refund in payment.refunds
    )
    return f"""<article id="{payment.payment_id}">
<header><b>{escape(shown(payment.price.total, payment.price.currency))}</b> {mark(payment.status)}
<span>{escape(payment.customer.email)}</span><time>{payment.created_at:%Y-%m-%d %H:%M:%S}</time></header>
<p><code>{payment.payment_id}</code> of <code>{payment.session_id}</code>, card {payment.card.last_four}</p>
<div class="row">{buttons}</div>{refunds}{"".join(dispute_part(dispute) for dispute in payment.disputes)}
</article>
"""


def dispute_part(dispute: Dispute) -> str:
    path = f"disputes/{dispute.dispute_id}/status"
    endings = [button(path, word, status) for status, word in ENDINGS.items() if status != dispute.status]
    return f"""<div class="sub"><p>Dispute of {escape(shown(dispute.amount, dispute.currency))} {mark(dispute.status)}
<code>{dispute.dispute_id}</code></p>
<div class="row">{"".join(endings) if dispute.is_open else ""}</div></div>"""


def switchboard(business: Business) -> str:
    settings, held = business.settings, len(business.deliveries.held())
    options = "".join(
        f'<option value="{mode}"{" selected" if mode == settings.webhooks else ""}>{SWITCH[mode]}</option>'
        for mode in MODES
    )
    select = f"<label>The next ones: <select name='mode'>{options}</select></label>"
    release = ""
    if held:
        release = button("webhooks/release", f"Release {held} as they came") + button(
            "webhooks/release", "Release in reverse", "true"
        )
    return f"""<p>They go to <code>{escape(settings.webhook_url or "nowhere")}</code>, and are tried again by Dodo's
schedule, {settings.webhook_speedup:g} times as fast.</p>
<div class="row">{button("webhooks/mode", "Set", field=select)}{release}</div>"""


def delivery_article(delivery: Delivery) -> str:
    path = f"webhooks/{delivery.webhook_id}"
    about = delivery.wire()["about"]
    tried = "not sent"
    if delivery.attempts:
        last = delivery.attempts[-1]
        tried = f"attempts: {len(delivery.attempts)}, the last: {last.status or last.fault}"
    buttons = (
        button(f"{path}/resend", "Resend")
        + button(f"{path}/resend", "Send twice at once", "twice")
        + button(f"{path}/resend", "Send under a new id", "new_id")
    )
    return f"""<article id="{delivery.webhook_id}">
<header><b>{escape(delivery.type)}</b> {mark(delivery.state)}<time>{delivery.at:%Y-%m-%d %H:%M:%S}</time></header>
<p><code>{delivery.webhook_id}</code> about <code>{escape(str(about))}</code>, {escape(tried)}</p>
<div class="row">{buttons}</div>
</article>
"""


def button(path: str, word: str, value: str = "", *, field: str = "") -> str:
    return (
        f'<form method="post" action="/dodo/dashboard/{path}">{field}'
        f'<button class="no" name="value" value="{value}">{escape(word)}</button></form>'
    )


def mark(status: str) -> str:
    kind = " good" if status in GOOD else " bad" if status in BAD else ""
    return f'<span class="mark{kind}">{escape(status)}</span>'
