"""Which files may leave storage: those that were announced and never recorded, and photos that nothing shows."""

import asyncio
from datetime import timedelta

import pytest

from application.actor import Actor
from application.housekeeping.purge_expired import PurgeExpired, PurgeExpiredHandler
from domain.images import GeneratedImage
from domain.reuse import borrow, lent
from domain.uploads import Upload
from domain.users import User
from domain.views import Output, View
from infrastructure.database.housekeeping import SqlExpiredRecords
from tests.integration.database.stage import Stage

DAY = timedelta(days=1)


async def announce(stage: Stage, user: User, key: str, *, age: timedelta = timedelta(0)) -> None:
    async with stage.desk() as desk:
        await desk.expected.add(key, owner=user.id)
        await desk.uow.commit()
    await stage.database.execute("UPDATE expected_files SET created_at = now() - $2::interval WHERE key = $1", key, age)


async def old_photo(stage: Stage, user: User, *, age: timedelta = 30 * DAY + timedelta(minutes=1)) -> Upload:
    return await stage.upload(user, created_at=await stage.now() - age)


async def delete(stage: Stage, image: GeneratedImage, *, ago: timedelta = timedelta(0)) -> None:
    await stage.database.execute("UPDATE images SET deleted_at = now() - $2::interval WHERE id = $1", image.id, ago)


async def finished(stage: Stage, image: GeneratedImage) -> None:
    """Its front is there, and was paid."""
    async with stage.desk() as desk:
        found = await desk.images.claim(image.front.id)
        assert found is not None
        image, front = found
        now = await desk.uow.now()
        assert image.claim_submit(front, now, stage.policy)
        assert image.prediction_ended(front, 1, "p1", {"id": "p1", "status": "succeeded"}, now)
        claim = image.claim_finish(front, now, stage.policy)
        assert claim is not None
        image.complete(front, claim, Output(image.output_key(front), 640, 800), now)
        await desk.accounts.post(front)
        await desk.uow.commit()


# Announced files


async def test_files_that_were_never_recorded_are_forgotten_after_a_day(stage: Stage) -> None:
    """Some at a time, and none that somebody is recording at this moment."""
    user = await stage.user()
    await announce(stage, user, "uploads/new.jpg", age=DAY - timedelta(minutes=1))
    for number in range(3):
        await announce(stage, user, f"uploads/old{number}.jpg", age=DAY + timedelta(minutes=1))
    async with stage.desk() as slow, stage.desk() as desk:
        assert await slow.expected.remove("uploads/old0.jpg")
        forgotten = await desk.unneeded.forgotten(1) + await desk.unneeded.forgotten(5)
        await desk.uow.commit()
    assert set(forgotten) == {"uploads/old1.jpg", "uploads/old2.jpg"}
    left = {row["key"] for row in await stage.database.fetch("SELECT key FROM expected_files")}
    assert left == {"uploads/new.jpg", "uploads/old0.jpg"}


async def test_files_follow_their_rows_by_the_worker(stage: Stage) -> None:
    user = await stage.user()
    await announce(stage, user, "uploads/old.jpg", age=DAY + timedelta(minutes=1))
    unused = await old_photo(stage, user)
    async with stage.desk() as desk:
        handle = PurgeExpiredHandler(
            records=SqlExpiredRecords(desk.session), files=desk.unneeded, outbox=desk.outbox, uow=desk.uow
        )
        purged = await handle(PurgeExpired(), Actor.system("worker"))
    assert (purged.files, purged.more) == (2, False)
    announced = [(row["job"], row["payload"]) for row in await stage.outbox()]
    assert [job for job, _ in announced] == ["discard_picture"] * 2
    assert {key for key in ("uploads/old.jpg", unused.key) if key in str(announced)} == {"uploads/old.jpg", unused.key}


# Photos


async def test_photos_that_no_try_on_shows_are_swept_after_thirty_days(stage: Stage) -> None:
    """Not younger ones, not those in use; deleted try-ons hold none back, once their own deletion is done with."""
    user = await stage.user(credits_=9)
    unused, of_deleted = await old_photo(stage, user), await old_photo(stage, user)
    await old_photo(stage, user, age=30 * DAY - timedelta(minutes=1))
    used, of_just_deleted = await old_photo(stage, user), await old_photo(stage, user)
    await stage.image(user, upload=used)
    deleted = await stage.image(user, upload=of_deleted)
    await delete(stage, deleted, ago=2 * DAY)
    await delete(stage, await stage.image(user, upload=of_just_deleted))
    async with stage.desk() as desk:
        assert set(await desk.unneeded.unused(9)) == {unused.key, of_deleted.key}
        await desk.uow.commit()
        assert await desk.unneeded.unused(9) == []
    assert await stage.database.fetchval("SELECT upload_id FROM images WHERE id = $1", deleted.id) is None
    assert await stage.database.fetchval("SELECT count(*) FROM uploads") == 3


async def test_a_photo_that_was_just_picked_is_left(stage: Stage) -> None:
    """By a request that has not committed yet."""
    user = await stage.user()
    photo = await old_photo(stage, user)
    async with stage.desk() as picking, stage.desk() as desk:
        assert await picking.uploads.by_key(photo.key, owner=user.id)
        assert await desk.unneeded.unused(9) == []


@pytest.mark.parametrize("first", ["pick", "sweep"])
async def test_a_photo_that_is_swept_while_it_is_picked_is_either_there_or_not(stage: Stage, first: str) -> None:
    """Whoever comes second waits for the first: no try-on is ever left without its photo."""
    user, style = await stage.user(), await stage.style()
    photo = await stage.upload(user)
    await delete(stage, await stage.image(user, upload=photo, style=style))
    async with stage.desk() as picking, stage.desk() as sweeping:

        async def pick() -> None:
            if await picking.uploads.by_key(photo.key, owner=user.id):
                await picking.images.add(
                    GeneratedImage.request(
                        owner=user.id,
                        style=(style.id, 1),
                        upload_id=photo.id,
                        views=(View.FRONT,),
                        folder="x",
                        now=await picking.uow.now(),
                        policy=stage.policy,
                    )
                )

        async def sweep() -> None:
            await sweeping.uploads.sweep(photo.id)

        if first == "pick":
            await pick()
            waiting = asyncio.create_task(sweep())
        else:
            await sweep()
            waiting = asyncio.create_task(pick())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await (picking if first == "pick" else sweeping).uow.commit()
        await waiting
        await (sweeping if first == "pick" else picking).uow.commit()
    shown = await stage.database.fetchval("SELECT count(*) FROM images WHERE deleted_at IS NULL")
    photos = await stage.database.fetchval("SELECT count(*) FROM uploads")
    assert (photos, shown) == ((1, 1) if first == "pick" else (0, 0))


async def test_two_try_ons_of_one_photo_can_be_swept_at_once(stage: Stage) -> None:
    user, style = await stage.user(), await stage.style()
    photo = await stage.upload(user)
    for _ in range(2):
        await delete(stage, await stage.image(user, upload=photo, style=style))

    async def sweep() -> str | None:
        async with stage.desk() as desk:
            swept = await desk.uploads.sweep(photo.id)
            await desk.uow.commit()
            return swept

    assert set(await asyncio.gather(sweep(), sweep())) == {photo.key, None}


# Lending


async def test_a_lender_cannot_be_deleted_until_the_loan_is_made(stage: Stage) -> None:
    """So that whoever removes its pictures sees who shows them."""
    user = await stage.user(credits_=9)
    image = await stage.image(user, held=True)
    await finished(stage, image)
    digest = await stage.database.fetchval("SELECT digest FROM uploads")
    async with stage.desk() as lending, stage.desk() as deleting:
        assert await lending.images.lender(user.id, digest=digest, style=(image.style_id, 1))
        waiting = asyncio.create_task(deleting.images.own(image.id, owner=user.id))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await lending.uow.commit()
        assert await waiting


async def test_what_is_lent_costs_nothing_and_the_books_balance(stage: Stage) -> None:
    user = await stage.user(credits_=1)
    image = await stage.image(user, held=True)
    await finished(stage, image)
    async with stage.desk() as desk:
        lender = await desk.images.by_id(image.id)
        now = await desk.uow.now()
        copy = GeneratedImage.request(
            owner=user.id,
            style=(image.style_id, 1),
            upload_id=image.upload_id or 0,
            views=(View.FRONT,),
            folder="copy",
            now=now,
            policy=stage.policy,
        )
        borrow(copy, lent(lender, [View.FRONT]), now)
        await desk.images.add(copy)
        await desk.uow.commit()
    assert (await stage.audit()).balanced
    await stage.database.execute("UPDATE views SET attempt = 1 WHERE image_id = $1", copy.id)
    assert (await stage.audit()).holds_out_of_step == [copy.front.id]
