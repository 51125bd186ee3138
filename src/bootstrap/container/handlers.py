"""Every use case but those that change try-ons alone, and what the settings decide for all of them."""

from datetime import timedelta

from dishka import (
    Provider,
    Scope,
    provide,
    provide_all,
)

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
from application.housekeeping.purge_expired import PurgeExpiredHandler
from application.images.begin_upload import BeginUploadHandler
from application.images.cancel_prediction import CancelPredictionHandler
from application.images.complete_upload import CompleteUploadHandler
from application.images.discard_picture import DiscardPictureHandler
from application.images.erase_image import EraseImageHandler
from application.images.generate_image import GenerateImageHandler
from application.images.get_status import GetStatusHandler
from application.images.list_images import ListImagesHandler
from application.images.list_uploads import ListUploadsHandler
from application.images.new_files import NewFiles
from application.images.picture_removal import PictureRemoval
from application.images.price_image import PriceImageHandler
from application.images.provider_webhook import ProviderWebhook
from application.images.settlement import Settlement
from application.images.turns import Turns
from application.images.upload_photo import UploadPhotoHandler
from application.images.wanted_try_on import TryOnRequests
from application.images.watch_image import WatchImageHandler
from application.images.watch_images import WatchImagesHandler
from application.styles.import_styles import ImportStylesHandler
from application.styles.list_styles import ListStylesHandler
from application.users.change_picture import ChangePictureHandler
from application.users.copy_profile_picture import CopyProfilePictureHandler
from application.users.delete_user import DeleteUserHandler
from application.users.erase_works import EraseWorksHandler
from application.users.export_user import ExportUserHandler
from application.users.get_profile import GetProfileHandler
from application.users.remove_picture import RemovePictureHandler
from application.users.update_profile import UpdateProfileHandler
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
        ListStylesHandler,
        GetStatusHandler,
        WatchImageHandler,
        WatchImagesHandler,
        ListImagesHandler,
        ListUploadsHandler,
        ExportUserHandler,
        ListSessionsHandler,
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
        EraseWorksHandler,
        EraseImageHandler,
        PictureRemoval,
        NewPassword,
        PasswordProof,
        GrantCreditsHandler,
        ImportStylesHandler,
        UploadPhotoHandler,
        BeginUploadHandler,
        CompleteUploadHandler,
        NewFiles,
        DiscardPictureHandler,
        UpdateProfileHandler,
        ChangePictureHandler,
        RemovePictureHandler,
        VerifyEmailHandler,
        BeginGoogleSignInHandler,
        FinishGoogleSignInHandler,
        CopyProfilePictureHandler,
        FreeCredits,
        SignIn,
        CancelPredictionHandler,
        Settlement,
    )
