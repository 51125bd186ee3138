import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from application.events import ViewSubmittable
from application.images.materials import Photo
from domain.credits import Cause
from domain.sessions import Refresh
from domain.users import User
from domain.views import Output, Status, View, ViewError
from tests.factories import StyleFactory, UserFactory
from tests.integration.database.stage import Stage
from tests.unit.factories import RegistrationFactory, UploadFactory

# Transactions


async def test_the_time_is_the_databases_and_stands_still_in_a_transaction(stage: Stage) -> None:
    async with stage.desk() as desk:
        first, second = await desk.uow.now(), await desk.uow.now()
        assert first == second
        await desk.uow.commit()
        assert await desk.uow.now() > first
    assert abs(await stage.now() - first) < timedelta(minutes=1)


async def test_what_is_not_committed_has_not_happened(stage: Stage) -> None:
    """Rows and announcements alike."""
    async with stage.desk() as desk:
        await desk.users.add(UserFactory.build(email="ada@example.com"))
        desk.outbox.add(ViewSubmittable(1))
        await desk.uow.flush()
        assert await desk.users.by_email("ada@example.com")
    async with stage.desk() as desk:
        assert await desk.users.by_email("ada@example.com") is None
    assert await stage.outbox() == []


async def test_what_was_flushed_has_its_id(stage: Stage) -> None:
    async with stage.desk() as desk:
        user = UserFactory.build()
        await desk.users.add(user)
        await desk.uow.flush()
        assert user.id > 0


async def test_entities_stay_readable_after_the_commit(stage: Stage) -> None:
    async with stage.desk() as desk:
        user = UserFactory.build(email="ada@example.com")
        await desk.users.add(user)
        await desk.uow.commit()
    assert (user.email, user.id > 0) == ("ada@example.com", True)


# Users


async def test_a_user_is_found_by_id_and_address(stage: Stage) -> None:
    user = await stage.user(email="ada@example.com")
    async with stage.desk() as desk:
        for found in (await desk.users.by_id(user.id), await desk.users.by_email("ada@example.com")):
            assert found is not None
            assert (found.id, found.email, found.name, found.role) == (user.id, user.email, user.name, user.role)
        assert await desk.users.by_id(2**63 - 1) is None
        for other in ("", "Ada@example.com", "ada@example.com ", "bob@example.com"):
            assert await desk.users.by_email(other) is None


async def test_one_address_is_one_user(stage: Stage) -> None:
    """The database sees to it, whoever comes first."""
    await stage.user(email="ada@example.com")
    with pytest.raises(IntegrityError):
        await stage.user(email="ada@example.com")


async def test_an_address_is_kept_in_lower_case(stage: Stage) -> None:
    with pytest.raises(IntegrityError):
        await stage.user(email="Ada@example.com")


async def test_looking_a_user_up_again_shows_what_others_did_meanwhile(stage: Stage) -> None:
    """Between two transactions of one handler, somebody disabled the account and chose another password."""
    user = await stage.user(password_hash="old")
    async with stage.desk() as desk:
        before = await desk.users.by_email(user.email)
        await desk.uow.commit()
        await stage.database.execute("UPDATE users SET password_hash = 'new', is_disabled = true")
        found = await desk.users.by_email(user.email)
        assert found is not None
        assert found is before
        assert (found.password_hash, found.is_disabled) == ("new", True)


async def test_writing_a_user_leaves_the_balances_alone(stage: Stage) -> None:
    """They belong to the ledger, which has changed them since the user was loaded."""
    user = await stage.user(credits_=5)
    async with stage.desk() as desk:
        loaded = await desk.users.by_id(user.id)
        assert loaded is not None
        async with stage.desk() as other:
            await other.accounts.record(user.id, 7, Cause.PURCHASE, natural_key="payment:1")
            await other.uow.commit()
        loaded.name = "Ada the Second"
        await desk.uow.commit()
    assert await stage.sums(user) == (12, 0)
    assert not hasattr(User, "credits")


# Sign-ups


async def test_the_latest_sign_up_of_an_address_counts(stage: Stage) -> None:
    first, second = (RegistrationFactory.build(email="ada@example.com") for _ in range(2))
    await stage.add(first)
    await stage.add(second)
    await stage.add(RegistrationFactory.build())
    async with stage.desk() as desk:
        latest = await desk.registrations.latest_for("ada@example.com")
        assert latest is not None
        assert (latest.id, latest.token_seed) == (second.id, second.token_seed)
        assert await desk.registrations.latest_for("bob@example.com") is None


async def test_voiding_an_address_leaves_the_others(stage: Stage) -> None:
    mine, other = RegistrationFactory.build(email="ada@example.com"), RegistrationFactory.build()
    await stage.add(mine, other)
    async with stage.desk() as desk:
        await desk.registrations.void_all("ada@example.com")
        await desk.uow.commit()
        assert await desk.registrations.by_id(mine.id) is None
        assert await desk.registrations.by_id(other.id) is not None


async def test_of_two_links_of_an_address_used_at_once_one_counts(stage: Stage) -> None:
    """Each would void the other: the second finds its own gone, for it waited for the first."""
    links = [RegistrationFactory.build(email="ada@example.com") for _ in range(2)]
    await stage.add(*links)

    async def use(token_hash: bytes) -> bool:
        async with stage.desk() as desk:
            found = await desk.registrations.claim(token_hash)
            if found is None:
                return False
            await asyncio.sleep(0.05)
            await desk.registrations.void_all(found.email)
            await desk.users.add(found.verify(await desk.uow.now()))
            await desk.uow.commit()
            return True

    assert sorted(await asyncio.gather(*(use(link.token_hash) for link in links * 3))) == [False] * 5 + [True]


async def test_an_unknown_token_claims_nothing(stage: Stage) -> None:
    await stage.add(RegistrationFactory.build())
    async with stage.desk() as desk:
        assert await desk.registrations.claim(bytes(32)) is None


# Sessions


async def test_refreshes_at_once_rotate_once(stage: Stage) -> None:
    """Whoever waited sees what the first has done, and repeats it instead of branching."""
    session = await stage.session_of(await stage.user())

    async def refresh() -> Refresh:
        async with stage.desk() as desk:
            claimed = await desk.sessions.claim(session.id)
            assert claimed is not None
            outcome = claimed.refresh(0, await desk.uow.now())
            await desk.uow.commit()
            return outcome

    outcomes = await asyncio.gather(*(refresh() for _ in range(8)))
    assert sorted(outcome.name for outcome in outcomes) == ["REPEATED"] * 7 + ["ROTATED"]
    assert await stage.database.fetchval("SELECT counter FROM sessions") == 1


async def test_a_session_that_is_not_there_is_not_claimed(stage: Stage) -> None:
    async with stage.desk() as desk:
        assert await desk.sessions.claim(2**63 - 1) is None


# Styles and uploads


async def test_only_active_styles_can_be_picked(stage: Stage) -> None:
    """With the prompt version that is current now."""
    style, retired = await stage.style(), await stage.style(is_active=False)
    async with stage.desk() as desk:
        loaded = await desk.styles.claim(style.slug)
        assert loaded is not None
        assert loaded.edit_prompts("a", "b", "c", "d")
        await desk.uow.commit()
        for style_id, version in ((style.id, 2), (retired.id, None), (2**63 - 1, None)):
            found = await desk.materials.find(1, style_id=style_id, photo_key="")
            assert (found.style_version, found.photo) == (version, None)


async def test_a_style_keeps_every_version_of_its_prompts(stage: Stage) -> None:
    style = await stage.style()
    for words in ("new", "newer"):
        async with stage.desk() as desk:
            loaded = await desk.styles.claim(style.slug)
            assert loaded is not None
            assert loaded.edit_prompts(words, words, words, words)
            await desk.uow.commit()
    fronts = await stage.database.fetch("SELECT version, front FROM style_prompts ORDER BY version")
    assert [tuple(row) for row in fronts] == [(1, style.prompts[0].front), (2, "new"), (3, "newer")]


async def test_a_slug_is_one_style(stage: Stage) -> None:
    style = await stage.style()
    with pytest.raises(IntegrityError):
        await stage.add(StyleFactory.build(slug=style.slug))


async def test_an_upload_is_its_owners(stage: Stage) -> None:
    user, other = await stage.user(), await stage.user()
    upload = await stage.upload(user)
    async with stage.desk() as desk:
        found = await desk.uploads.by_key(upload.key, owner=user.id)
        assert found is not None
        assert found.id == upload.id
        assert await desk.uploads.by_key(upload.key, owner=other.id) is None
        for owner, photo in ((user, Photo(upload.id, upload.digest)), (other, None)):
            assert (await desk.materials.find(owner.id, style_id=1, photo_key=upload.key)).photo == photo
        assert await desk.uploads.by_key(UploadFactory.build(user_id=1).key, owner=user.id) is None


# Try-ons


async def test_a_try_on_is_stored_with_everything_it_knows(stage: Stage) -> None:
    """What comes back from the database is what went in."""
    image = await stage.image(await stage.user(), View.BACK, View.LEFT)
    async with stage.desk() as desk:
        found = await desk.images.claim(image.render(View.LEFT).id)
        assert found is not None
        loaded, render = found
        assert render is loaded.render(View.LEFT)
        assert [view.view for view in loaded.views] == [View.FRONT, View.BACK, View.LEFT]
        now = await desk.uow.now()
        claim = loaded.claim_submit(loaded.front, now, stage.policy)
        loaded.front.submitted(claim, "p1", now, stage.policy)
        answer: dict[str, object] = {"id": "p1", "output": ["https://x.test/ü.jpg", {"deep": [None, 1.5, True]}]}
        assert loaded.front.prediction_ended(1, "p1", answer, now)
        await desk.uow.commit()
    async with stage.desk() as desk:
        found = await desk.images.claim(image.front.id)
        assert found is not None
        again, front = found
        assert (front.prediction, front.prediction_id, front.attempt, again.status) == (answer, "p1", 1, "PROCESSING")
        assert (front.due_at, front.accepted_at) == (now, image.front.accepted_at)


async def test_a_try_on_is_its_owners_until_it_is_deleted(stage: Stage) -> None:
    user, other = await stage.user(), await stage.user()
    image = await stage.image(user, View.LEFT)
    async with stage.desk() as desk:
        assert await desk.images.own(image.id, owner=other.id) is None
        assert await desk.images.own(2**63 - 1, owner=user.id) is None
        own = await desk.images.own(image.id, owner=user.id)
        assert own is not None
        assert [render.view for render in own.views] == [View.FRONT, View.LEFT]
        own.delete(await desk.uow.now())
        await desk.uow.commit()
    async with stage.desk() as desk:
        assert await desk.images.own(image.id, owner=user.id) is None
        deleted = await desk.images.by_id(image.id)
        assert deleted is not None
        assert (deleted.deleted_at is None, deleted.status) == (False, Status.CANCELLED)


async def test_a_try_on_that_is_loaded_again_keeps_what_was_decided_before(stage: Stage) -> None:
    """Within a transaction; and only what was decided last is written at its end."""
    image = await stage.image(await stage.user())
    async with stage.desk() as desk:
        first = await desk.images.by_id(image.id)
        assert first is not None
        first.is_favourite = True
        again = await desk.images.by_id(image.id)
        assert again is not None
        assert again.is_favourite
        again.is_favourite = False
        await desk.uow.commit()
    async with stage.desk() as desk:
        kept = await desk.images.by_id(image.id)
    assert kept is not None
    assert not kept.is_favourite


async def test_of_two_who_delete_a_try_on_at_once_one_does(stage: Stage) -> None:
    """The other waits, and then finds nothing."""
    user = await stage.user()
    image = await stage.image(user)
    arrived = 0

    async def delete() -> bool:
        nonlocal arrived
        async with stage.desk() as desk:
            found = await desk.images.own(image.id, owner=user.id)
            if found is None:
                return False
            arrived += 1
            found.delete(await desk.uow.now())
            await desk.uow.commit()
        return True

    assert sorted(await asyncio.gather(*(delete() for _ in range(3)))) == [False, False, True]
    assert arrived == 1


async def test_outputs_are_shown_by_the_owners_try_ons_that_are_not_deleted(stage: Stage) -> None:
    user, other = await stage.user(), await stage.user()
    images = [await stage.image(user), await stage.image(user), await stage.image(user), await stage.image(other)]
    for image, key in zip(images, ("a", "b", "c", "d"), strict=True):
        await stage.database.execute("UPDATE views SET output_key = $1 WHERE image_id = $2", key, image.id)
    await stage.database.execute("UPDATE images SET deleted_at = now() WHERE id = $1", images[1].id)
    async with stage.desk() as desk:
        assert await desk.images.shown_outputs({"a", "b", "d", "e"}, owner=user.id) == {"a"}
        assert await desk.images.shown_outputs(set(), owner=user.id) == set()


async def test_a_view_that_is_not_there_is_not_claimed(stage: Stage) -> None:
    async with stage.desk() as desk:
        assert await desk.images.claim(2**63 - 1) is None


async def test_of_many_workers_one_gets_the_view(stage: Stage) -> None:
    """The others wait for it, and then see that it is taken."""
    image = await stage.image(await stage.user())

    async def take() -> int | None:
        async with stage.desk() as desk:
            found = await desk.images.claim(image.front.id)
            assert found is not None
            now = await desk.uow.now()
            if not found[0].submittable(found[1], now, stage.policy):
                return None
            claim = found[0].claim_submit(found[1], now, stage.policy)
            await asyncio.sleep(0.01)
            await desk.uow.commit()
            return claim

    claims = await asyncio.gather(*(take() for _ in range(8)))
    assert [claim for claim in claims if claim is not None] == [1]


async def test_claiming_again_shows_what_others_did_meanwhile(stage: Stage) -> None:
    """In the same handler, after its first transaction: status, claim and all."""
    image = await stage.image(await stage.user(), View.LEFT)
    async with stage.desk() as slow:
        first = await slow.images.claim(image.front.id)
        assert first is not None
        first[0].claim_submit(first[1], await slow.uow.now(), stage.policy)
        await slow.uow.commit()
        async with stage.desk() as quick:
            found = await quick.images.claim(image.front.id)
            assert found is not None
            found[0].fail(found[1], ViewError.PROVIDER_TIMEOUT, await quick.uow.now())
            await quick.uow.commit()
        again = await slow.images.claim(image.front.id)
        assert again is not None
        assert (again[0].status, again[1].status, again[1].error) == (
            Status.FAILED,
            Status.FAILED,
            ViewError.PROVIDER_TIMEOUT,
        )
        assert [render.status for render in again[0].views] == [Status.FAILED] * 2


async def test_views_of_one_try_on_are_written_in_turn(stage: Stage) -> None:
    """Its status is derived from all of them: three sides that finish at once leave it COMPLETED."""
    image = await stage.image(await stage.user(), View.LEFT, View.RIGHT, View.BACK)

    async def finish(view_id: int) -> None:
        async with stage.desk() as desk:
            found = await desk.images.claim(view_id)
            assert found is not None
            loaded, render = found
            now = await desk.uow.now()
            loaded.claim_submit(render, now, stage.policy)
            assert render.prediction_ended(1, "p", {"id": "p"}, now)
            storing = render.claim_finish(now, stage.policy)
            assert storing is not None
            loaded.complete(render, storing, Output("key.jpg", 1, 1), now)
            await desk.uow.commit()

    await finish(image.front.id)
    await asyncio.gather(*(finish(render.id) for render in image.views[1:]))
    assert await stage.database.fetchval("SELECT status FROM images") == Status.COMPLETED
