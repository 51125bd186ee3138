"""`python -m sandbox`: play the outside services on one address until told to stop."""

import argparse
import os
import sys
from pathlib import Path

from sandbox.app import create_app
from sandbox.config import config_from_environment
from sandbox.server import listen, serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where pictures are kept while it runs")
    parser.add_argument("--public-url", help="the address that callers use, when it is not http://HOST:PORT")
    flags = parser.parse_args()
    listener = listen(flags.host, flags.port)
    host = f"[{flags.host}]" if ":" in flags.host else flags.host
    address = f"http://{host}:{listener.getsockname()[1]}"
    try:
        config = config_from_environment(
            os.environ, public_url=(flags.public_url or address).rstrip("/"), data_dir=flags.data
        )
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    serve(create_app(config), listener, address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
