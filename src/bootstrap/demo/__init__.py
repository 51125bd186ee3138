"""One customer's journey, played over HTTP for a newcomer to see."""

from bootstrap.demo.journey import run_demo

__all__ = ["run_demo"]
