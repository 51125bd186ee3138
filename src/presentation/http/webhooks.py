"""What becomes of a webhook that nobody we trust has signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from domain.errors import Unauthenticated
from presentation.http.authentication import AnyRequest
from presentation.http.metrics import WebhookMetrics
from presentation.http.security import network_of

log = structlog.get_logger()


@contextmanager
def telling_refusals(
    provider: Literal["replicate", "dodo"], request: AnyRequest, metrics: WebhookMetrics
) -> Iterator[None]:
    """Count and log a refusal: the network tells a provider whose secret has changed from somebody who tries.

    It is a second line for a request that has one anyway: who floods the log can do that without a signature, too.
    """
    try:
        yield
    except Unauthenticated:
        ip, _ = request.scope["state"]["client"]
        metrics.count(provider, metrics.REFUSED)
        log.warning("webhook_refused", provider=provider, network=network_of(ip))
        raise
