import pytest

from application.actor import Actor, Client
from domain.errors import Forbidden, Unauthenticated
from domain.users import Role

CUSTOMER = Actor.user(7, session_id=1)
ADMIN = Actor.user(8, session_id=2, role=Role.ADMIN)
VISITOR = Actor.anonymous(Client("192.0.2.7", "Firefox"))
WORKER = Actor.system("worker")
OPERATOR = Actor.operator("root")


def test_only_people_who_signed_in_own_things() -> None:
    assert (CUSTOMER.require_user(), ADMIN.require_user()) == (7, 8)
    for actor in (VISITOR, WORKER, OPERATOR):
        with pytest.raises(Unauthenticated) as refusal:
            actor.require_user()
        assert refusal.value.code == "not_authenticated"


def test_operators_and_admins_operate_under_their_names() -> None:
    assert (OPERATOR.require_operator(), ADMIN.require_operator()) == ("root", "user:8")
    for actor in (VISITOR, WORKER, CUSTOMER):
        with pytest.raises(Forbidden):
            actor.require_operator()


def test_a_customer_called_like_an_operator_is_none() -> None:
    """What an actor may do follows from its kind, never from a name."""
    with pytest.raises(Forbidden):
        Actor.system("root").require_operator()
