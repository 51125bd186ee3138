"""An example of every body that the API reads or answers, made of the real types."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from application.auth.change_password import ChangePassword
from application.auth.forgot_password import ForgotPassword
from application.auth.log_in import LogIn
from application.auth.log_out import LogOut
from application.auth.ports import SessionItem
from application.auth.refresh_session import RefreshSession
from application.auth.register import Register
from application.auth.resend_verification import ResendVerification
from application.auth.reset_password import ResetPassword
from application.auth.tokens import Accepted, TokenPair
from application.auth.verify_email import VerifyEmail
from application.credits.ports import Balance, LedgerItem
from application.images.acceptances import ImageAccepted
from application.images.add_views import AddViews
from application.images.begin_upload import UploadBegun
from application.images.complete_upload import CompleteUpload
from application.images.list_uploads import UploadItem
from application.images.ports import ImageItem, ImageStatus, ViewItem
from application.images.price_image import ImagePrice
from application.images.progress import ProgressItem
from application.images.upload_photo import UploadedPhoto
from application.images.wanted_try_on import GenerateImage
from application.pages import Page, cursor_after
from application.payments.create_checkout import CheckoutCreated, CreateCheckout
from application.payments.ports import TransactionItem
from application.styles.ports import StyleItem
from application.users.delete_user import DeleteUser
from application.users.ports import Profile
from application.users.update_profile import UpdateProfile
from domain.credits import Cause
from domain.styles import Category
from domain.transactions import TransactionStatus
from domain.users import Role
from domain.views import Status, View
from presentation.http.payments import EventReceived
from presentation.http.problems import FieldProblem, Problem
from presentation.http.progress import SentEvent
from presentation.http.reference.admin_examples import ADMIN_BODIES, ADMIN_PAGES

_ACCEPTED_AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
_MEDIA = "https://api.example.com/media"
_PHOTO = f"{_MEDIA}/uploads/Zm9yLXRoZS1kb2N1bWVudGF0aW9u.jpg?expires=1768474800&signature=..."
_INCOMING = "incoming/Zm9yLXRoZS1kb2N1bWVudGF0aW9u"
_FRONT = f"{_MEDIA}/images/b25seS1hbi1leGFtcGxl/front-1.jpg?expires=1768474800&signature=..."
_ACCESS = "an.access.token"
_REFRESH = "a.refresh.token"
_PASSWORD = "a long sentence is a good one"  # noqa: S105 - an example
_NEW_PASSWORD = "another long sentence"  # noqa: S105 - an example

_ITEM = ImageItem(
    id=41,
    status=Status.COMPLETED,
    style_id=7,
    style_name="Long Bob",
    description="The lob: collarbone length, a soft bend and an easy side parting.",
    input_image_url=_PHOTO,
    output_image_url=_FRONT,
    right_view_url=None,
    left_view_url=None,
    back_view_url=None,
    views=[ViewItem(View.FRONT, Status.COMPLETED, _FRONT, None, 17.4)],
    is_favourite=False,
    time_taken=17.4,
    error=None,
    created_at=_ACCEPTED_AT,
)

_PROGRESS = ProgressItem(
    image_id=41,
    view=View.FRONT,
    status=Status.COMPLETED,
    url=_FRONT,
    error=None,
    queue_position=None,
    eta_seconds=14.5,
    at=_ACCEPTED_AT,
)
_STYLE = StyleItem(
    id=7,
    name="Long Bob",
    description="The lob: collarbone length, a soft bend and an easy side parting.",
    category=Category.STANDARD,
    thumbnail_url=f"{_MEDIA}/styles/long-bob-6bb483b867b84cb9.png?expires=1768474800&signature=...",
)
_ENTRY = LedgerItem(
    id=99, amount=-1, cause=Cause.SPEND, reference="image:41:front", balance_after=2, created_at=_ACCEPTED_AT
)
_UPLOAD = UploadItem(image_input_url=_PHOTO, width=1536, height=2048, size=412_345, created_at=_ACCEPTED_AT)
_SESSION = SessionItem(
    id=5,
    user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    ip="203.0.113.7",
    created_at=_ACCEPTED_AT,
    last_used_at=_ACCEPTED_AT,
    current=True,
)

_PURCHASE = TransactionItem(
    id=17,
    session_id="cks_Zm9y",
    payment_id="pay_ZG9j",
    amount=2975,
    currency="USD",
    credits_purchased=25,
    status=TransactionStatus.SUCCEEDED,
    payment_method="card",
    created_at=_ACCEPTED_AT,
)

_BODIES: list[Struct] = [
    Register(email="ada@example.com", password=_PASSWORD, name="Ada"),
    ResendVerification(email="ada@example.com"),
    VerifyEmail(token="the-token-of-the-mailed-link"),  # noqa: S106 - an example
    LogIn(email="ada@example.com", password=_PASSWORD),
    RefreshSession(refresh_token=_REFRESH),
    LogOut(refresh_token=_REFRESH),
    ForgotPassword(email="ada@example.com"),
    ResetPassword(token="the-token-of-the-mailed-link", new_password=_PASSWORD),  # noqa: S106 - an example
    ChangePassword(current_password=_PASSWORD, new_password=_NEW_PASSWORD),
    _SESSION,
    DeleteUser(password=_PASSWORD),
    Accepted(message="Check your mailbox: we have sent you a message."),
    TokenPair(access_token=_ACCESS, refresh_token=_REFRESH, expires_in=600),
    Profile(
        id=12,
        email="ada@example.com",
        name="Ada",
        profile_picture=None,
        role=Role.CUSTOMER,
        is_verified=True,
        oauth_provider=None,
        credits=3,
        credits_held=1,
        created_at=_ACCEPTED_AT,
    ),
    UpdateProfile(name="Ada Lovelace"),
    Balance(credits=3, credits_held=1, credits_frozen=0, credits_available=2),
    _ENTRY,
    _STYLE,
    _UPLOAD,
    UploadedPhoto(image_input_url=_PHOTO, width=1536, height=2048, size=412_345),
    GenerateImage(style_id=7, image_input_url=_PHOTO, views=(View.FRONT, View.RIGHT)),
    UploadBegun(
        key=_INCOMING,
        url=f"{_MEDIA}-upload",
        fields={"key": _INCOMING, "expires": "1768475700", "largest": "10485760", "signature": "..."},
        expires_in=900,
    ),
    CompleteUpload(key=_INCOMING),
    ImagePrice(credits_required=2, credits_available_after=1, eta_seconds=21.5),
    AddViews(views=(View.LEFT, View.BACK)),
    ImageAccepted(image_id=41, credits_held=2),
    _ITEM,
    ImageStatus(
        **{name: getattr(_ITEM, name) for name in ImageItem.__struct_fields__}, queue_position=None, eta_seconds=None
    ),
    SentEvent(id="5", event="view", data=msgspec.json.encode(_PROGRESS).decode()),
    CreateCheckout(credits_amount=25),
    CheckoutCreated(
        checkout_url="https://checkout.dodopayments.com/session/cks_Zm9y",
        session_id="cks_Zm9y",
        transaction_id=17,
    ),
    _PURCHASE,
    EventReceived(),
    Problem(
        title="Bad Request",
        status=400,
        detail="style_id: Expected `int`, got `str`",
        code="validation_failed",
        request_id="5f0c8d9e2b7a4c31",
        errors=[FieldProblem("style_id", "wrong_type", "Expected `int`, got `str`")],
    ),
]

EXAMPLES: dict[str, Struct] = {type(body).__name__: body for body in [*_BODIES, *ADMIN_BODIES]} | {
    f"PageOf{type(item).__name__}": Page([item], cursor_after(41))
    for item in (_ITEM, _ENTRY, _UPLOAD, _SESSION, _PURCHASE, *ADMIN_PAGES)
}
EXAMPLES["PageOfStyleItem"] = Page([_STYLE], None)
