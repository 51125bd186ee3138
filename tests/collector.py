"""Takes traces over OTLP, as a collector does, and keeps their spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


class Collector:
    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.paths: set[str] = set()
        self.text = b""
        """All that came, as it came."""
        self.spans: list[Any] = []
        self.services: dict[bytes, str] = {}
        """Who made each span, by its id."""

    def take(self, path: str, body: bytes) -> None:
        self.paths.add(path)
        self.text += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
            spans = [span for scope in resource.scope_spans for span in scope.spans]
            self.services |= dict.fromkeys((span.span_id for span in spans), about["service.name"])
            self.spans += spans

    def named(self, name: str) -> Any:
        """The one span of this name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def chain(self, name: str) -> list[str]:
        """The names of a span and of those that it is inside of, the outermost first."""
        by_id = {span.span_id: span for span in self.spans}
        span = self.named(name)
        names: list[str] = []
        while span is not None:
            names.insert(0, span.name)
            span = by_id.get(span.parent_span_id)
        return names


def attributes(span: Any) -> dict[str, Any]:
    return {
        attribute.key.removeprefix("hairtryon."): getattr(attribute.value, attribute.value.WhichOneof("value"))
        for attribute in span.attributes
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    collectors: list[Collector] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collectors[0].take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collectors.append(Collector(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collectors[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
