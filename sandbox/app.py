"""The sandbox as one ASGI app: every service under its own prefix, and a page that says what this is."""

from pathlib import Path
from tempfile import TemporaryDirectory

from litestar import Litestar, MediaType, get

from sandbox.brevo.api import brevo_router
from sandbox.config import SandboxConfig
from sandbox.dodo.service import Dodo
from sandbox.google.api import google_router
from sandbox.replicate.service import Replicate

BODY_LIMIT = 110 * 1024 * 1024


def create_app(config: SandboxConfig) -> Litestar:
    """Put the services together. A new service is a router with a prefix of its own, added here."""
    temporary = TemporaryDirectory(prefix="sandbox-") if config.data_dir is None else None
    folder = Path(temporary.name) if temporary is not None else config.data_dir or Path()
    replicate = Replicate(config, folder / "replicate")
    dodo = Dodo(config)

    @get("/", media_type=MediaType.HTML)
    async def index() -> str:
        return index_page(config.public_url)

    return Litestar(
        route_handlers=[index, replicate.router, dodo.router, brevo_router(config), google_router(config)],
        lifespan=[replicate.lifespan, dodo.lifespan],
        on_shutdown=[] if temporary is None else [temporary.cleanup],
        request_max_body_size=BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
    )


def index_page(url: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sandbox of Hair Try-On</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}</style>
</head>
<body><h1>Sandbox</h1>
<p>This local process plays outside services, so that Hair Try-On runs without accounts, keys and costs. It speaks
their wire formats; nothing leaves this machine, no real model renders, no mail is sent, no money moves.</p>
<ul>
<li><b>Replicate</b> at <code>{url}/replicate/v1</code>: the model draws hair on the photo, and says so on the picture.
Calls received: <a href="/replicate/__control">/replicate/__control</a></li>
<li><b>Brevo</b> at <code>{url}/brevo/v3</code>: <a href="/brevo">read the mails</a>.
Calls received: <a href="/brevo/__control">/brevo/__control</a></li>
<li><b>Dodo Payments</b> at <code>{url}/dodo</code>: pay with test cards, and at <a href="/dodo">the dashboard</a> pay
back and fight about it. Calls received: <a href="/dodo/__control">/dodo/__control</a></li>
<li><b>Google</b>, as an OpenID provider, at <code>{url}/google</code>: made-up people sign in, with a click.
Calls received: <a href="/google/__control">/google/__control</a></li>
</ul></body></html>"""
