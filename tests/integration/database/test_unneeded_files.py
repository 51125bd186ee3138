"""Which files may leave storage: those that were announced and never recorded, and photos that nothing shows."""

import asyncio
import secrets
from datetime import timedelta

from application.actor import Actor
from application.housekeeping.purge_expired import PurgeExpired, PurgeExpiredHandler
from domain.images import GeneratedImage
from domain.styles import Style
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
        image.claim_submit(front, now, stage.policy)
        assert front.prediction_ended(1, "p1", {"id": "p1", "status": "succeeded"}, now)
        claim = front.claim_finish(now, stage.policy)
        assert claim is not None
        image.complete(front, claim, Output(image.output_key(front), 640, 800), now)
        await desk.holds.post(front)
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


async def test_whoever_picks_a_photo_that_is_being_swept_waits_and_finds_it_gone(stage: Stage) -> None:
    user, style = await stage.user(), await stage.style()
    photo = await stage.upload(user)
    await delete(stage, await stage.image(user, upload=photo, style=style))
    async with stage.desk() as sweeping:
        assert await sweeping.uploads.sweep(photo.id) == photo.key
        waiting = asyncio.create_task(stage.accept(await copy_of(stage, user, style, photo.id)))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await sweeping.uow.commit()
        assert not await waiting
    assert await stage.database.fetchval("SELECT count(*) FROM images WHERE deleted_at IS NULL") == 0


async def test_a_photo_that_is_swept_while_it_is_picked_is_either_there_or_not(stage: Stage) -> None:
    """No try-on is ever left without its photo."""
    user, style = await stage.user(credits_=10), await stage.style()

    async def sweep(upload_id: int) -> str | None:
        async with stage.desk() as desk:
            swept = await desk.uploads.sweep(upload_id)
            await desk.uow.commit()
            return swept

    for _ in range(10):
        photo = await stage.upload(user)
        image = await copy_of(stage, user, style, photo.id)
        picked, swept = await asyncio.gather(stage.accept(image), sweep(photo.id))
        assert (picked, swept) in {(True, None), (False, photo.key)}


async def copy_of(stage: Stage, user: User, style: Style, upload_id: int) -> GeneratedImage:
    """Another try-on of a photo, not accepted yet."""
    return GeneratedImage.request(
        owner=user.id,
        style=(style.id, 1),
        upload_id=upload_id,
        views=(View.FRONT,),
        folder=secrets.token_urlsafe(24),
        now=await stage.now(),
        policy=stage.policy,
    )


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


async def test_whoever_borrows_from_a_try_on_that_is_being_deleted_waits_and_gets_nothing(stage: Stage) -> None:
    """So that whoever removes its pictures sees who shows them."""
    user, style = await stage.user(credits_=9), await stage.style()
    image = await stage.image(user, held=True, style=style)
    await finished(stage, image)
    copy = await copy_of(stage, user, style, image.upload_id or 0)
    copy.borrow({View.FRONT: Output(image.output_key(image.front), 640, 800)}, copy.created_at)
    async with stage.desk() as deleting:
        lender = await deleting.images.own(image.id, owner=user.id)
        assert lender is not None
        lender.delete(await deleting.uow.now())
        await deleting.uow.flush()
        waiting = asyncio.create_task(stage.accept(copy, lender=image.id))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await deleting.uow.commit()
        assert not await waiting


async def test_what_is_lent_costs_nothing_and_the_books_balance(stage: Stage) -> None:
    user, style = await stage.user(credits_=1), await stage.style()
    image = await stage.image(user, held=True, style=style)
    await finished(stage, image)
    copy = await copy_of(stage, user, style, image.upload_id or 0)
    copy.borrow({View.FRONT: Output(image.output_key(image.front), 640, 800)}, copy.created_at)
    assert await stage.accept(copy, lender=image.id)
    assert (await stage.audit()).balanced
    await stage.database.execute("UPDATE views SET attempt = 1 WHERE image_id = $1", copy.id)
    assert (await stage.audit()).holds_out_of_step == [copy.front.id]
