"""What operators do about accounts: under their name, for a reason, and only they."""

from collections.abc import Awaitable, Callable

import pytest

from application.actor import Actor
from application.auth.log_in import LogIn
from application.auth.refresh_session import RefreshSession
from application.auth.register import Register
from application.events import AccountErased, PictureDiscarded
from application.users.belongings import ExportedFile
from application.users.change_role import ChangeRole
from application.users.create_user import CreateUser
from application.users.disable_user import DisableUser
from application.users.enable_user import EnableUser
from application.users.erase_user import EraseUser
from application.users.export_named_user import ExportNamedUser, ExportNamedUserHandler
from application.users.list_users import ListUsers
from application.users.ports import UserFilter
from application.users.show_user import ShowUser
from application.users.verify_user import VerifyUser
from domain.credits import Cause
from domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from domain.users import Role
from tests.in_memory import AuditNote
from tests.unit.application.customer_care import ROOT, CustomerCare
from tests.unit.application.reception import ADA, PASSWORD, VISITOR, WORKER
from tests.unit.application.test_export_user import Archive

WHY = "asked for it"

Deed = Callable[[CustomerCare, str, str, Actor], Awaitable[object]]
DEEDS: dict[str, Deed] = {
    "user.disable": lambda care, user, reason, actor: care.disable(DisableUser(user, reason), actor),
    "user.enable": lambda care, user, reason, actor: care.enable(EnableUser(user, reason), actor),
    "user.promote": lambda care, user, reason, actor: care.change_role(ChangeRole(user, Role.ADMIN, reason), actor),
    "user.verify": lambda care, user, reason, actor: care.verify(VerifyUser(user, reason), actor),
    "user.delete": lambda care, user, reason, actor: care.erase(EraseUser(user, reason), actor),
}
each_deed = pytest.mark.parametrize("deed", DEEDS)


async def with_ada() -> CustomerCare:
    """Ada is a customer, and signed in."""
    care = CustomerCare()
    await care.reception.join()
    return care


async def ready_for(deed: str) -> CustomerCare:
    care = CustomerCare()
    if deed == "user.verify":
        await care.reception.sign_up()
    else:
        await care.reception.join()
    if deed == "user.enable":
        care.users.rows.kept[1].is_disabled = True
    return care


@each_deed
async def test_what_is_done_is_noted_with_the_name_and_the_reason(deed: str) -> None:
    care = await ready_for(deed)
    await DEEDS[deed](care, ADA, f" {WHY} ", ROOT)
    (note,) = care.audit.kept
    assert (note.operator, note.action, note.subject, note.reason) == ("root", deed, "user:1", WHY)
    assert ADA not in str(note)
    assert not care.uow.is_open


@each_deed
@pytest.mark.parametrize("reason", ["", " \n", "x" * 501])
async def test_without_a_fit_reason_nothing_is_done(deed: str, reason: str) -> None:
    care = await ready_for(deed)
    commits = care.uow.commits
    with pytest.raises(Invalid) as refusal:
        await DEEDS[deed](care, ADA, reason, ROOT)
    assert (refusal.value.field, care.uow.commits) == ("reason", commits)


@each_deed
@pytest.mark.parametrize(
    "actor",
    [VISITOR, WORKER, Actor.user(1, session_id=1), Actor.operator("user:8")],
    ids=["visitor", "worker", "customer", "in-disguise"],
)
async def test_only_operators_do_it_and_under_no_name_of_an_account(deed: str, actor: Actor) -> None:
    """An admin's entries are told from those of who only calls himself so."""
    care = await ready_for(deed)
    commits = care.uow.commits
    with pytest.raises(Forbidden) as refusal:
        await DEEDS[deed](care, ADA, WHY, actor)
    assert (refusal.value.code, care.uow.commits) == ("forbidden", commits)


@each_deed
async def test_an_admin_is_an_operator(deed: str) -> None:
    care = await ready_for(deed)
    await DEEDS[deed](care, ADA, WHY, Actor.user(8, session_id=9, role=Role.ADMIN))
    assert [note.operator for note in care.audit.kept] == ["user:8"]


@each_deed
async def test_nothing_is_done_to_whom_nobody_knows(deed: str) -> None:
    care = await ready_for(deed)
    with pytest.raises(NotFound) as refusal:
        await DEEDS[deed](care, "bob@example.com", WHY, ROOT)
    assert refusal.value.code == "user_not_found"


@pytest.mark.parametrize("deed", sorted(DEEDS.keys() - {"user.verify"}))
async def test_nothing_is_done_to_an_account_that_was_erased(deed: str) -> None:
    care = await with_ada()
    care.users.rows.kept[1].erase(care.uow.time)
    with pytest.raises(NotFound):
        await DEEDS[deed](care, "1", WHY, ROOT)


async def test_a_disabled_account_has_no_session_and_gets_none() -> None:
    care = await with_ada()
    tokens = await care.reception.enter()
    shown = await care.disable(DisableUser(ADA, WHY), ROOT)
    assert shown.is_disabled
    assert all(session.revoked_at for session in care.reception.sessions.rows.kept.values())
    with pytest.raises(Unauthenticated):
        await care.reception.refresh(RefreshSession(tokens.refresh_token), VISITOR)
    with pytest.raises(Forbidden) as refusal:
        await care.reception.log_in(LogIn(ADA, PASSWORD), VISITOR)
    assert refusal.value.code == "account_disabled"
    shown = await care.enable(EnableUser("1", WHY), ROOT)
    assert not shown.is_disabled
    assert await care.reception.enter()


@pytest.mark.parametrize("deed", ["user.disable", "user.promote"])
async def test_what_is_so_already_is_a_conflict(deed: str) -> None:
    """And leaves no second note."""
    care = await with_ada()
    await DEEDS[deed](care, ADA, WHY, ROOT)
    with pytest.raises(Conflict):
        await DEEDS[deed](care, ADA, WHY, ROOT)
    care.uow.abandon()
    assert len(care.audit.kept) == 1


async def test_what_was_not_done_cannot_be_undone() -> None:
    care = await with_ada()
    with pytest.raises(Conflict):
        await care.enable(EnableUser(ADA, WHY), ROOT)
    with pytest.raises(Conflict):
        await care.change_role(ChangeRole(ADA, Role.CUSTOMER, WHY), ROOT)


async def test_an_admin_can_be_made_a_customer_again() -> None:
    care = await with_ada()
    assert (await care.change_role(ChangeRole(ADA, Role.ADMIN, WHY), ROOT)).role is Role.ADMIN
    assert (await care.change_role(ChangeRole(ADA, Role.CUSTOMER, WHY), ROOT)).role is Role.CUSTOMER
    assert [note.details["role"] for note in care.audit.kept] == ["admin", "customer"]


async def test_an_account_is_made_without_a_mail_and_without_free_credits() -> None:
    """Its password works at once; whatever sign-up waited for the address is void."""
    care = CustomerCare()
    await care.reception.sign_up(password="a-strangers-password")
    made = await care.create(CreateUser(" ADA@example.com ", " Ada ", PASSWORD), ROOT)
    assert (made.id, made.email, made.name, made.is_verified, made.role) == (1, ADA, "Ada", True, Role.CUSTOMER)
    assert await care.reception.enter()
    assert care.reception.registrations.rows.kept == {}
    assert care.reception.accounts.entries(1) == []
    assert care.audit.kept == [AuditNote("root", "user.create", "user:1", None, {})]


@pytest.mark.parametrize(
    ("email", "name", "password", "code"),
    [
        ("ada", "Ada", PASSWORD, "validation_failed"),
        (ADA, " ", PASSWORD, "validation_failed"),
        (ADA, "Ada", "password1", "password_too_common"),
    ],
)
async def test_what_no_customer_could_register_no_operator_can_create(
    email: str, name: str, password: str, code: str
) -> None:
    care = CustomerCare()
    with pytest.raises(Invalid) as refusal:
        await care.create(CreateUser(email, name, password), ROOT)
    assert (refusal.value.code, care.users.rows.kept) == (code, {})


async def test_an_address_has_one_account() -> None:
    care = await with_ada()
    with pytest.raises(Conflict):
        await care.create(CreateUser(ADA, "Ada", "another-password"), ROOT)


async def test_only_operators_create_and_look_at_accounts() -> None:
    care = await with_ada()
    for ask in (
        care.create(CreateUser("bob@example.com", "Bob", PASSWORD), VISITOR),
        care.list(ListUsers(), VISITOR),
        care.show(ShowUser(ADA), VISITOR),
    ):
        with pytest.raises(Forbidden):
            await ask


async def test_a_sign_up_that_waits_becomes_what_its_link_would_make() -> None:
    """With the password and the free credits; the link is used up by it."""
    care = CustomerCare()
    await care.reception.sign_up()
    shown = await care.verify(VerifyUser(ADA, WHY), ROOT)
    assert (shown.is_verified, shown.has_password) == (True, True)
    assert await care.reception.enter()
    (entry,) = care.reception.accounts.entries(1)
    assert (entry.amount, entry.cause) == (3, Cause.SIGNUP)
    with pytest.raises(Conflict):
        await care.verify(VerifyUser(ADA, WHY), ROOT)


async def test_where_several_sign_ups_wait_nobodys_password_is_trusted() -> None:
    """One of them may be a stranger's."""
    care = CustomerCare()
    await care.reception.sign_up()
    await care.reception.register(Register(ADA, "a-strangers-password", "Mallory"), VISITOR)
    assert not (await care.verify(VerifyUser(ADA, WHY), ROOT)).has_password
    for password in (PASSWORD, "a-strangers-password"):
        with pytest.raises(Unauthenticated):
            await care.reception.enter(password=password)


async def test_a_sign_up_whose_link_has_expired_waits_no_more() -> None:
    care = CustomerCare()
    await care.reception.sign_up()
    care.uow.pass_time(hours=25)
    with pytest.raises(NotFound):
        await care.verify(VerifyUser(ADA, WHY), ROOT)


async def test_erasing_leaves_a_pseudonym_and_sends_the_worker_for_the_rest() -> None:
    care = await with_ada()
    care.users.rows.kept[1].profile_picture = "faces/ada.jpg"
    erased = await care.erase(EraseUser(ADA, WHY), ROOT)
    assert erased.id == 1
    assert care.users.rows.kept[1].email == "erased-1@erased.invalid"
    assert care.personal.forgotten == [(1, ADA)]
    assert care.outbox.events[-2:] == [PictureDiscarded("faces/ada.jpg"), AccountErased(1)]


async def test_accounts_are_listed_page_by_page() -> None:
    care = CustomerCare()
    for number in range(3):
        await care.reception.join(f"customer{number}@example.com")
    first = await care.list(ListUsers(limit=2), ROOT)
    assert [user.id for user in first.items] == [3, 2]
    last = await care.list(ListUsers(limit=2, cursor=first.next_cursor), ROOT)
    assert ([user.id for user in last.items], last.next_cursor) == ([1], None)
    assert (await care.list(ListUsers(only=UserFilter(role=Role.ADMIN)), ROOT)).items == []
    assert (await care.show(ShowUser("customer1@example.com"), ROOT)).id == 2


async def test_what_is_kept_about_somebody_is_taken_out_for_them_and_that_is_noted() -> None:
    """The same files that they get themselves; no session is called theirs."""
    care, archive = CustomerCare(), Archive(entries=1, uploads=1)
    for number in range(7):
        await care.create(CreateUser(f"customer{number}@example.com", "Ada", PASSWORD), ROOT)
    export = ExportNamedUserHandler(users=care.users, belongings=archive.belongings, audit=care.audit, uow=care.uow)
    files: list[ExportedFile] = [file async for file in await export(ExportNamedUser("7", WHY), ROOT)]
    assert [file.path for file in files] == list(await archive.files())
    assert b'"current": true' not in next(file.data for file in files if file.path == "sessions.json")
    assert care.audit.kept[7:] == [AuditNote("root", "user.export", "user:7", WHY, {})]
    with pytest.raises(Forbidden):
        await export(ExportNamedUser("7", WHY), VISITOR)
