"""Every use case but those that change try-ons alone, and what the settings decide for all of them."""

from datetime import timedelta

from dishka import (
    Provider,
    Scope,
    provide,
    provide_all,
)

from application.analytics.show_analytics import ShowAnalyticsHandler
from application.audit_log.list_audit_log import ListAuditLogHandler
from application.auth.begin_google_sign_in import BeginGoogleSignInHandler
from application.auth.change_password import ChangePasswordHandler
from application.auth.finish_google_sign_in import FinishGoogleSignInHandler
from application.auth.forgot_password import ForgotPasswordHandler
from application.auth.free_credits import FreeCredits, FreeCreditsAmount
from application.auth.list_sessions import ListSessionsHandler
from application.auth.log_in import LogInHandler
from application.auth.log_out import LogOutHandler
from application.auth.new_password import NewPassword
from application.auth.proof import PasswordProof
from application.auth.proved_address import ProvedAddress
from application.auth.refresh_session import RefreshSessionHandler
from application.auth.register import RegisterHandler
from application.auth.resend_verification import ResendVerificationHandler
from application.auth.reset_password import ResetPasswordHandler
from application.auth.revoke_session import RevokeSessionHandler
from application.auth.send_account_mail import (
    SendAccountExistsMailHandler,
    SendPasswordResetMailHandler,
    SendVerificationMailHandler,
)
from application.auth.sign_in import AccessSeconds, SignIn
from application.auth.verify_email import VerifyEmailHandler
from application.credits.audit_ledger import AuditLedgerHandler
from application.credits.get_balance import GetBalanceHandler
from application.credits.grant_credits import GrantCreditsHandler
from application.credits.list_history import ListHistoryHandler
from application.credits.revoke_credits import RevokeCreditsHandler
from application.credits.show_history import ShowHistoryHandler
from application.credits.watch_ledger import WatchLedgerHandler
from application.housekeeping.purge_expired import PurgeExpiredHandler
from application.images.begin_upload import BeginUploadHandler
from application.images.cancel_any_image import CancelAnyImageHandler
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.complete_upload import CompleteUploadHandler
from application.images.discard_picture import DiscardPictureHandler
from application.images.erase_image import EraseImageHandler
from application.images.fail_image import FailImageHandler
from application.images.generate_image import GenerateImageHandler
from application.images.get_status import GetStatusHandler
from application.images.list_all_images import ListAllImagesHandler
from application.images.list_images import ListImagesHandler
from application.images.list_uploads import ListUploadsHandler
from application.images.new_files import NewFiles
from application.images.picture_removal import PictureRemoval
from application.images.price_image import PriceImageHandler
from application.images.provider_webhook import ProviderWebhook
from application.images.retry_any_image import RetryAnyImageHandler
from application.images.settlement import Settlement
from application.images.show_image import ShowImageHandler
from application.images.turns import Turns
from application.images.upload_photo import UploadPhotoHandler
from application.images.wanted_try_on import TryOnRequests
from application.images.watch_image import WatchImageHandler
from application.images.watch_images import WatchImagesHandler
from application.payments.bookkeeping import Bookkeeping
from application.payments.create_checkout import CreateCheckoutHandler
from application.payments.get_transaction import GetTransactionHandler
from application.payments.list_events import ListEventsHandler
from application.payments.list_purchases import ListPurchasesHandler
from application.payments.list_transactions import ListTransactionsHandler
from application.payments.ports import ReconcileEvery
from application.payments.receive_webhook import ReceiveWebhookHandler
from application.payments.reconcile_purchase import ReconcilePurchaseHandler
from application.payments.reconcile_purchases import ReconcilePurchasesHandler
from application.payments.reconciliation import Reconciliation
from application.payments.refund_purchase import RefundPurchaseHandler
from application.payments.release_payment import ReleasePaymentHandler
from application.payments.replay_event import ReplayEventHandler
from application.payments.send_receipts import SendReceiptHandler, SendRefundNoticeHandler
from application.payments.show_event import ShowEventHandler
from application.payments.show_purchase import ShowPurchaseHandler
from application.payments.verdicts import Verdicts
from application.queue.fail_open_images import FailOpenImagesHandler
from application.queue.show_queue import ShowQueueHandler
from application.styles.add_style import AddStyleHandler
from application.styles.edit_style import EditStyleHandler
from application.styles.export_styles import ExportStylesHandler
from application.styles.import_styles import ImportStylesHandler
from application.styles.list_all_styles import ListAllStylesHandler
from application.styles.list_styles import ListStylesHandler
from application.styles.show_style import ShowStyleHandler
from application.styles.switch_style import SwitchStyleHandler
from application.styles.thumbnails import NewThumbnail
from application.users.belongings import Belongings
from application.users.change_picture import ChangePictureHandler
from application.users.change_role import ChangeRoleHandler
from application.users.copy_profile_picture import CopyProfilePictureHandler
from application.users.create_user import CreateUserHandler
from application.users.delete_user import DeleteUserHandler
from application.users.disable_user import DisableUserHandler
from application.users.enable_user import EnableUserHandler
from application.users.erase_user import EraseUserHandler
from application.users.erase_works import EraseWorksHandler
from application.users.erasure import Erasure
from application.users.export_named_user import ExportNamedUserHandler
from application.users.export_user import ExportUserHandler
from application.users.get_profile import GetProfileHandler
from application.users.list_users import ListUsersHandler
from application.users.remove_picture import RemovePictureHandler
from application.users.show_user import ShowUserHandler
from application.users.update_profile import UpdateProfileHandler
from application.users.verify_user import VerifyUserHandler
from bootstrap.settings import Settings
from domain.transactions import Offer
from domain.views import RenderPolicy


class Handlers(Provider):
    """Every use case, and what the settings decide for them."""

    scope = Scope.REQUEST

    @provide(scope=Scope.APP)
    def render_policy(self, settings: Settings) -> RenderPolicy:
        return RenderPolicy(
            attempts=settings.generation_max_attempts,
            timeout=timedelta(seconds=settings.generation_timeout_seconds),
            deadline=timedelta(seconds=settings.generation_deadline_seconds),
            lease=timedelta(seconds=settings.generation_lease_seconds),
            poll=timedelta(seconds=settings.poll_seconds),
        )

    @provide(scope=Scope.APP)
    def provider_webhook(self, settings: Settings) -> ProviderWebhook:
        keys = (settings.secret_key, settings.secret_key_previous)
        return ProviderWebhook(settings.webhook_url, tuple(key for key in keys if key))

    @provide(scope=Scope.APP)
    def offer(self, settings: Settings) -> Offer:
        return Offer(settings.dodo_payments_product_id, settings.credit_price_minor, settings.credit_currency)

    @provide(scope=Scope.APP)
    def reconcile_every(self, settings: Settings) -> ReconcileEvery:
        return ReconcileEvery(timedelta(seconds=settings.reconcile_seconds))

    @provide(scope=Scope.APP)
    def free_credits_amount(self, settings: Settings) -> FreeCreditsAmount:
        return FreeCreditsAmount(settings.free_user_credits)

    @provide(scope=Scope.APP)
    def access_seconds(self, settings: Settings) -> AccessSeconds:
        return AccessSeconds(int(settings.access_token_minutes * 60))

    turns = provide(Turns, scope=Scope.APP)
    of_one_statement = provide_all(
        GetProfileHandler,
        GetBalanceHandler,
        ListHistoryHandler,
        AuditLedgerHandler,
        WatchLedgerHandler,
        ShowHistoryHandler,
        ListStylesHandler,
        GetStatusHandler,
        WatchImageHandler,
        WatchImagesHandler,
        ListImagesHandler,
        ListUploadsHandler,
        ExportUserHandler,
        Belongings,
        ListUsersHandler,
        ShowUserHandler,
        ListAllStylesHandler,
        ShowStyleHandler,
        ExportStylesHandler,
        NewThumbnail,
        ShowQueueHandler,
        ListAuditLogHandler,
        ShowAnalyticsHandler,
        ListAllImagesHandler,
        ShowImageHandler,
        ListSessionsHandler,
        ListTransactionsHandler,
        GetTransactionHandler,
        ListPurchasesHandler,
        ShowPurchaseHandler,
        ListEventsHandler,
        ShowEventHandler,
        TryOnRequests,
        PriceImageHandler,
        GenerateImageHandler,
        scope=Scope.APP,  # their transactions are single statements: one of each serves all requests
    )
    handlers = provide_all(
        RegisterHandler,
        ResendVerificationHandler,
        LogInHandler,
        RefreshSessionHandler,
        LogOutHandler,
        SendVerificationMailHandler,
        SendAccountExistsMailHandler,
        SendPasswordResetMailHandler,
        ForgotPasswordHandler,
        ResetPasswordHandler,
        ChangePasswordHandler,
        RevokeSessionHandler,
        PurgeExpiredHandler,
        DeleteUserHandler,
        Erasure,
        EraseUserHandler,
        CreateUserHandler,
        VerifyUserHandler,
        DisableUserHandler,
        EnableUserHandler,
        ChangeRoleHandler,
        ExportNamedUserHandler,
        EraseWorksHandler,
        EraseImageHandler,
        PictureRemoval,
        NewPassword,
        PasswordProof,
        ProvedAddress,
        GrantCreditsHandler,
        RevokeCreditsHandler,
        ImportStylesHandler,
        AddStyleHandler,
        EditStyleHandler,
        SwitchStyleHandler,
        UploadPhotoHandler,
        BeginUploadHandler,
        CompleteUploadHandler,
        NewFiles,
        DiscardPictureHandler,
        UpdateProfileHandler,
        ChangePictureHandler,
        RemovePictureHandler,
        RetryAnyImageHandler,
        CancelAnyImageHandler,
        FailImageHandler,
        FailOpenImagesHandler,
        VerifyEmailHandler,
        BeginGoogleSignInHandler,
        FinishGoogleSignInHandler,
        CopyProfilePictureHandler,
        FreeCredits,
        SignIn,
        CancelPredictionHandler,
        Settlement,
        Bookkeeping,
        Verdicts,
        Reconciliation,
        CreateCheckoutHandler,
        ReceiveWebhookHandler,
        ReconcilePurchaseHandler,
        ReconcilePurchasesHandler,
        RefundPurchaseHandler,
        ReleasePaymentHandler,
        ReplayEventHandler,
        SendReceiptHandler,
        SendRefundNoticeHandler,
    )
