"""The admin API: operators' commands over HTTP, for users of the role `admin`."""

from presentation.http.admin.images import AdminImageController
from presentation.http.admin.operations import AdminOperationsController
from presentation.http.admin.payments import AdminPaymentController
from presentation.http.admin.styles import AdminStyleController
from presentation.http.admin.users import AdminLedgerController, AdminUserController

ADMIN_CONTROLLERS = (
    AdminUserController,
    AdminLedgerController,
    AdminStyleController,
    AdminImageController,
    AdminPaymentController,
    AdminOperationsController,
)
