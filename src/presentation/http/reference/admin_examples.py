"""An example of every body that the admin API reads or answers, made of the real types."""

from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct

from application.analytics.ports import CreditDay, RenderDay, RevenueDay, SignUpDay, StyleDay
from application.analytics.show_analytics import Analytics
from application.audit_log.ports import AuditEntry
from application.credits.ports import LedgerAudit, OperatorLedgerItem
from application.images.image_records import ImageDetails, ImageEntry, ImageEvent, ViewDetails, ViewEntry
from application.payments.ports import Finding, PaymentNews, Verdict
from application.payments.reconcile_purchases import Reconciliations
from application.payments.reconciliation import Reconciled
from application.payments.records import EventItem, EventRecord, PurchaseStory, RefundRecord, TransactionRecord
from application.payments.refund_purchase import RefundAsked, RefundPurchase
from application.payments.release_payment import PaymentReleased
from application.queue.ports import Backlog
from application.queue.show_queue import QueueStatus
from application.styles.add_style import AddStyle
from application.styles.edit_style import EditStyle
from application.styles.ports import PromptVersion, StyleDetails, StyleEntry
from application.users.create_user import CreateUser
from application.users.ports import UserDetails, UserEntry
from application.users.verify_user import VerifyUser
from domain.credits import Cause, HoldStatus
from domain.payments import RefundStatus
from domain.styles import Category
from domain.transactions import CartLine, Mismatch, PaymentReport, PaymentStatus, TransactionStatus
from domain.users import Role
from domain.views import Status, View, ViewError
from presentation.http.admin.bodies import CreditAdjustment, Justification, RoleChange, ViewFailure

_AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
_DAY = date(2026, 1, 15)
_REASON = "asked for it by mail"

USER = UserEntry(
    id=12,
    email="ada@example.com",
    name="Ada",
    role=Role.CUSTOMER,
    is_verified=True,
    is_disabled=False,
    credits=3,
    created_at=_AT,
    deleted_at=None,
)
LEDGER_ITEM = OperatorLedgerItem(
    id=99,
    amount=5,
    cause=Cause.GRANT,
    reference=None,
    balance_after=8,
    created_at=_AT,
    reason="render lost on 3 May",
    operator="grace",
)
STYLE = StyleEntry(
    id=7,
    slug="long-bob",
    name="Long Bob",
    description="The lob: collarbone length, a soft bend and an easy side parting.",
    category=Category.STANDARD,
    position=3,
    is_active=True,
    prompt_version=1,
    thumbnail_url="https://api.example.com/media/styles/long-bob-6bb483b867b84cb9.png?expires=1768474800&signature=...",
)
_VIEW = ViewDetails(
    id=101,
    view=View.FRONT,
    status=Status.FAILED,
    error=ViewError.PROVIDER_TIMEOUT,
    round=1,
    attempt=3,
    hold=HoldStatus.VOIDED,
    prediction_id="z4m5n6p7q8",
    output_url=None,
    accepted_at=_AT,
    due_at=_AT,
    lease_until=None,
    expires_at=None,
    deadline_at=_AT,
    finished_at=_AT,
)
IMAGE = ImageEntry(
    id=41,
    user_id=12,
    email="ada@example.com",
    style_id=7,
    style_name="Long Bob",
    status=Status.FAILED,
    views=[ViewEntry(view=View.FRONT, status=Status.FAILED, error=ViewError.PROVIDER_TIMEOUT)],
    created_at=_AT,
    deleted_at=None,
)
AUDIT_ENTRY = AuditEntry(
    id=17, at=_AT, operator="user:8", action="user.disable", subject="user:12", reason=_REASON, details={}
)
_PROMPTS = PromptVersion(
    version=1, front="Give the person a long bob.", right="The same from the right.", left="... left.", back="... back."
)


def _extended(entry: Struct) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


PURCHASE = TransactionRecord(
    id=17,
    session_id="cks_Zm9y",
    payment_id="pay_ZG9j",
    amount=2500,
    currency="USD",
    credits_purchased=25,
    status=TransactionStatus.PARTIALLY_REFUNDED,
    payment_method="card",
    created_at=_AT,
    user_id=12,
    email="ada@example.com",
)
EVENT = EventItem(
    id=12,
    webhook_id="evt_YW4",
    type="payment.succeeded",
    verdict=Verdict.QUARANTINED,
    reason=Mismatch.AMOUNT_TOO_LOW,
    payment_id="pay_ZG9j",
    transaction_id=17,
    received_at=_AT,
)
_REPORT = PaymentNews(
    happened=PaymentStatus.SUCCEEDED,
    payment=PaymentReport(
        payment_id="pay_ZG9j",
        session_id="cks_Zm9y",
        status=PaymentStatus.SUCCEEDED,
        total=2400,
        tax=0,
        currency="USD",
        cart=(CartLine("pdt_one_credit", 25),),
        method="card",
        ordered=17,
        buyer=12,
    ),
)

ADMIN_BODIES: list[Struct] = [
    Justification(reason=_REASON),
    RoleChange(role=Role.ADMIN, reason="joins customer care"),
    CreditAdjustment(amount=5, reason="render lost on 3 May"),
    ViewFailure(reason="stuck since the outage", view=View.LEFT, error=ViewError.PROVIDER_TIMEOUT),
    CreateUser(email="ada@example.com", name="Ada", password="a long sentence is a good one"),  # noqa: S106 - an example
    VerifyUser(email="ada@example.com", reason="the mail was lost"),
    USER,
    UserDetails(
        **_extended(USER),
        profile_picture=None,
        oauth_provider="google",
        has_password=False,
        credits_held=1,
        credits_frozen=0,
        credits_available=2,
        images=4,
        last_seen_at=_AT,
    ),
    LEDGER_ITEM,
    LedgerAudit(accounts=120, entries=998, open_holds=2, differences=[], holds_out_of_step=[], payments_out_of_step=[]),
    STYLE,
    StyleDetails(**_extended(STYLE), prompts=[_PROMPTS]),
    AddStyle(
        slug="long-bob",
        name="Long Bob",
        description="The lob.",
        category=Category.STANDARD,
        front=_PROMPTS.front,
        right=_PROMPTS.right,
        left=_PROMPTS.left,
        back=_PROMPTS.back,
    ),
    EditStyle(description="The lob: collarbone length.", front=_PROMPTS.front),
    IMAGE,
    ImageDetails(
        **(_extended(IMAGE) | {"views": [_VIEW]}),
        prompt_version=1,
        is_favourite=False,
        input_image_url="https://api.example.com/media/uploads/Zm9yLXRoZS1kb2N1bWVudGF0aW9u.jpg?expires=1768474800",
        log=[ImageEvent(View.FRONT, Status.FAILED, ViewError.PROVIDER_TIMEOUT, _AT)],
    ),
    QueueStatus(
        backlog=Backlog(
            views_pending=3,
            views_processing=5,
            views_without_prediction=3,
            predictions_in_flight=4,
            outputs_to_store=1,
            views_overdue=0,
            views_of_last_hour={Status.COMPLETED: 57, Status.FAILED: 1},
            outbox_due=2,
            outbox_scheduled=9,
            outbox_oldest_seconds=0.8,
            gate_closed_until=None,
            gate_reason=None,
        ),
        bell_answers=True,
    ),
    AUDIT_ENTRY,
    Analytics(
        since=_DAY,
        until=_DAY,
        sign_ups=[SignUpDay(_DAY, 31)],
        renders=[RenderDay(_DAY, 412, 398, 9, 5, 0.9779, 16.2, 31.7)],
        styles=[StyleDay(_DAY, 7, "Long Bob", View.FRONT, 55, 53, 1)],
        credits=[CreditDay(_DAY, sold=500, granted=93, spent=398, returned=14, taken_back=10)],
        revenue=[RevenueDay(_DAY, "USD", purchases=21, paid=50_400)],
    ),
    PURCHASE,
    EVENT,
    EventRecord(
        **_extended(EVENT), report=_REPORT, body='{"type": "payment.succeeded", "data": {"payment_id": "pay_ZG9j"}}'
    ),
    PurchaseStory(
        transaction=PURCHASE,
        granted=25,
        taken=9,
        frozen=0,
        refunds=[RefundRecord("ref_YmFj", 990, "USD", RefundStatus.SUCCEEDED, _AT)],
        disputes=[],
        events=[EVENT],
    ),
    RefundPurchase(reason=_REASON, amount=990),
    RefundAsked(17, "ref_YmFj", 990, "USD", RefundStatus.PENDING),
    Reconciliations(1, [Reconciled(17, TransactionStatus.PENDING, TransactionStatus.SUCCEEDED)]),
    PaymentReleased(event_id=12, transaction_id=17, credits=25),
    Finding(Verdict.APPLIED, transaction_id=17),
]
ADMIN_PAGES: list[Struct] = [USER, LEDGER_ITEM, STYLE, IMAGE, AUDIT_ENTRY, PURCHASE, EVENT]
