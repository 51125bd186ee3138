"""Every use case, and what the settings decide for them."""

from datetime import timedelta

from dishka import (
    Provider,
    Scope,
    provide,
    provide_all,
)

from application.auth.log_in import LogInHandler
from application.auth.log_out import LogOutHandler
from application.auth.refresh_session import RefreshSessionHandler
from application.auth.register import RegisterHandler
from application.auth.resend_verification import ResendVerificationHandler
from application.auth.send_account_mail import SendAccountExistsMailHandler, SendVerificationMailHandler
from application.auth.sign_in import AccessSeconds, SignIn
from application.auth.verify_email import FreeCredits, VerifyEmailHandler
from application.credits.audit_ledger import AuditLedgerHandler
from application.credits.get_balance import GetBalanceHandler
from application.credits.grant_credits import GrantCreditsHandler
from application.credits.list_history import ListHistoryHandler
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.finish_view import FinishViewHandler
from application.images.generate_image import GenerateImageHandler
from application.images.get_status import GetStatusHandler
from application.images.list_images import ListImagesHandler
from application.images.poll_prediction import PollPredictionHandler
from application.images.provider_webhook import ProviderWebhook
from application.images.record_prediction import RecordPredictionHandler
from application.images.settlement import Settlement
from application.images.submit_view import SubmitViewHandler
from application.images.sweep_view import SweepViewHandler
from application.images.upload_photo import UploadPhotoHandler
from application.styles.import_styles import ImportStylesHandler
from application.styles.list_styles import ListStylesHandler
from application.users.get_profile import GetProfileHandler
from bootstrap.settings import Settings
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
    def free_credits(self, settings: Settings) -> FreeCredits:
        return FreeCredits(settings.free_user_credits)

    @provide(scope=Scope.APP)
    def access_seconds(self, settings: Settings) -> AccessSeconds:
        return AccessSeconds(int(settings.access_token_minutes * 60))

    queries = provide_all(
        GetProfileHandler,
        GetBalanceHandler,
        ListHistoryHandler,
        AuditLedgerHandler,
        ListStylesHandler,
        GetStatusHandler,
        ListImagesHandler,
        scope=Scope.APP,  # they read, each time anew: one of each serves all requests
    )
    handlers = provide_all(
        RegisterHandler,
        ResendVerificationHandler,
        LogInHandler,
        RefreshSessionHandler,
        LogOutHandler,
        SendVerificationMailHandler,
        SendAccountExistsMailHandler,
        GrantCreditsHandler,
        ImportStylesHandler,
        UploadPhotoHandler,
        GenerateImageHandler,
        RecordPredictionHandler,
        PollPredictionHandler,
        FinishViewHandler,
        SweepViewHandler,
        SubmitViewHandler,
        VerifyEmailHandler,
        SignIn,
        CancelPredictionHandler,
        Settlement,
    )
