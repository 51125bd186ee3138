"""Replies of other people's servers, read up to a limit: a reply without an end must not fill our memory."""

import httpx


class UnboundedReply(httpx.TransportError):
    """It is longer than anything that was asked for, or compressed though that was declined."""


async def read_bounded(reply: httpx.Response, most: int) -> bytes:
    """The body of a streamed reply to a request that said `Accept-Encoding: identity`."""
    if reply.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnboundedReply("a reply that is compressed though that was declined")
    body = bytearray()
    async for chunk in reply.aiter_raw():
        body += chunk
        if len(body) > most:
            raise UnboundedReply(f"a reply of more than {most} bytes")
    return bytes(body)
