"""What admins send where a command's other half is in the path."""

from typing import Annotated

from msgspec import Meta, Struct

from application.audit import Reason
from domain.users import Role
from domain.views import View, ViewError


class Justification(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class RoleChange(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role
    reason: Reason


class CreditAdjustment(Struct, frozen=True, forbid_unknown_fields=True):
    amount: Annotated[int, Meta(ge=1, le=100_000)]
    reason: Reason


class ViewFailure(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason
    view: View | None = None
    error: ViewError = ViewError.INTERNAL_ERROR
