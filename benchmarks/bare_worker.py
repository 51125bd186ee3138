"""The floor of finishing: what has to be done for each generation, and nothing else.

One process does, for as many try-ons at once as a worker has in hand, one create call, a statement that notes it, one
download, one re-encoding in a thread, and a transaction of three statements: the view is finished, the credit is spent,
the ledger has its entry. It has no claims, leases, attempts, webhooks, queue, storage or log. It uses httpx, as the
provider's own client does, and asyncpg.

It takes all views that wait, the first few to warm up, and prints how many generations a second it finished.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

import asyncpg
import httpx
import uvloop

from benchmarks.libvips import make_threads, reencode

AT_ONCE = 40
"""Jobs that `hairtryon worker` has in hand at most."""
WARM_UP = 80

_WAITING = "SELECT views.id, user_id FROM views JOIN images ON images.id = image_id WHERE views.status = 'PENDING'"
_NOTE = "UPDATE views SET status = 'PROCESSING', prediction_id = $2, attempt = 1 WHERE id = $1"
_FINISH = """
UPDATE views SET status = 'COMPLETED', output_key = $2, output_width = 256, output_height = 256, finished_at = now()
WHERE id = $1
"""
_SPEND = "UPDATE users SET credits = credits - 1, credits_held = credits_held - 1 WHERE id = $1 RETURNING credits"
_ENTER = """
INSERT INTO ledger_entries (user_id, amount, cause, natural_key, balance_after, created_at)
VALUES ($1, -1, 'spend', $2, $3, now())
"""
_INPUT = {
    "prompt": "The same person with another hairstyle.",
    "image_input": ["https://api.example.com/media/uploads/photo.jpg"],
    "size": "2K",
    "aspect_ratio": "match_input_image",
    "max_images": 1,
    "sequential_image_generation": "disabled",
    "enhance_prompt": False,
}


class BareWorker:
    def __init__(self, pool: asyncpg.Pool, client: httpx.AsyncClient, threads: Executor, provider: str) -> None:
        self._pool = pool
        self._client = client
        self._threads = threads
        self._creates = f"{provider}/models/bytedance/seedream-4/predictions"
        self._outputs = f"{provider.removesuffix('/v1')}/outputs"

    async def generate(self, views: Sequence[tuple[int, int]]) -> None:
        """Finish these views, each with its user, so many at once."""
        waiting = iter(views)
        await asyncio.gather(*(self._work_off(waiting) for _ in range(AT_ONCE)))

    async def _work_off(self, waiting: Iterator[tuple[int, int]]) -> None:
        loop = asyncio.get_running_loop()
        for view_id, user_id in waiting:
            created = await self._client.post(self._creates, json={"input": _INPUT})
            prediction = created.raise_for_status().json()["id"]
            await self._pool.execute(_NOTE, view_id, prediction)
            output = await self._client.get(f"{self._outputs}/{prediction}.jpg")
            picture = await loop.run_in_executor(self._threads, reencode, output.raise_for_status().content)
            assert picture
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_FINISH, view_id, f"images/{view_id}.jpg")
                credits_left = await connection.fetchval(_SPEND, user_id)
                await connection.execute(_ENTER, user_id, f"spend:{view_id}", credits_left)


async def work() -> float:
    environ = os.environ
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with (
        asyncpg.create_pool(environ["DATABASE_URL"], min_size=0, max_size=10) as pool,
        httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as client,
    ):
        with make_threads() as threads:
            worker = BareWorker(pool, client, threads, environ["REPLICATE_BASE_URL"])
            views = [(row["id"], row["user_id"]) for row in await pool.fetch(_WAITING)]
            await worker.generate(views[:WARM_UP])
            began = time.perf_counter()
            await worker.generate(views[WARM_UP:])
            return (len(views) - WARM_UP) / (time.perf_counter() - began)


def main() -> None:
    print(uvloop.run(work()))


if __name__ == "__main__":
    main()
