"""What the processes of a stack are told: the environment, `.env`, and beneath both what the stack itself provides."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bootstrap.stack.folder import StackError, StackFolder

PLAYED_SERVICES = {
    "REPLICATE_BASE_URL": "/replicate/v1",
    "BREVO_BASE_URL": "/brevo/v3",
    "GOOGLE_ISSUER": "/google",
    "DODO_PAYMENTS_BASE_URL": "/dodo",
}
"""The outside services that the sandbox plays while their address is unset, and the path where it does so."""


PLAYED_GOOGLE_CLIENT = {
    "GOOGLE_CLIENT_ID": "the-sandboxs-only-client",
    "GOOGLE_CLIENT_SECRET": "no-secret-between-us-and-the-sandbox",
}
"""What the API and the sandbox call each other by, where no client is named."""


PLAYED_DODO_ACCOUNT = {
    "DODO_PAYMENTS_API_KEY": "no-secret-between-us-and-the-sandbox",
    "DODO_PAYMENTS_PRODUCT_ID": "pdt_one_credit",
}
"""What the API shows the sandbox, and sells there, where no account is named."""


def read_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment over the `.env` of this folder; what is empty is left out, for it is as good as unset."""
    return {name: value for name, value in {**dotenv_values(folder / ".env"), **environ}.items() if value}


def data_folder(environ: Mapping[str, str]) -> StackFolder:
    """`HAIRTRYON_DATA`, else `var/` in the current directory."""
    return StackFolder(Path(environ.get("HAIRTRYON_DATA") or "var"))


def provided(folder: StackFolder, environ: Mapping[str, str], addresses: Mapping[str, str]) -> dict[str, str]:
    """The environment, completed for a development stack that keeps its data in this folder."""
    ours = {"HAIRTRYON_ENV": "dev", "STORAGE": "disk", "MEDIA_DIR": str(folder.media), **folder.secrets(), **addresses}
    if environ.get("REPLICATE_BASE_URL"):
        del ours["REPLICATE_WEBHOOK_SECRET"]  # ours is good for the sandbox only: another provider signs with its own
    if not any(environ.get(name) for name in ("GOOGLE_ISSUER", *PLAYED_GOOGLE_CLIENT)):
        ours |= PLAYED_GOOGLE_CLIENT
    if any(
        environ.get(name) for name in ("DODO_PAYMENTS_BASE_URL", *PLAYED_DODO_ACCOUNT, "DODO_PAYMENTS_WEBHOOK_SECRET")
    ):
        del ours["DODO_PAYMENTS_WEBHOOK_SECRET"]
    else:
        ours |= PLAYED_DODO_ACCOUNT
    return {**ours, **environ, "HAIRTRYON_DATA": str(folder.root)}


def sandbox_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the sandbox is told, so that it knows the API it plays for as the real services would."""
    known = {
        "SANDBOX_REPLICATE_WEBHOOK_SECRET": environ.get("REPLICATE_WEBHOOK_SECRET", ""),
        "SANDBOX_GOOGLE_CLIENT_ID": environ.get("GOOGLE_CLIENT_ID", ""),
        "SANDBOX_GOOGLE_CLIENT_SECRET": environ.get("GOOGLE_CLIENT_SECRET", ""),
        "SANDBOX_GOOGLE_REDIRECT_URI": f"{environ['PUBLIC_URL']}/api/v1/auth/google/callback",
        "SANDBOX_DODO_API_KEY": environ.get("DODO_PAYMENTS_API_KEY", ""),
        "SANDBOX_DODO_PRODUCT_ID": environ.get("DODO_PAYMENTS_PRODUCT_ID", ""),
        "SANDBOX_DODO_WEBHOOK_SECRET": environ.get("DODO_PAYMENTS_WEBHOOK_SECRET", ""),
        "SANDBOX_DODO_WEBHOOK_URL": f"{environ['PUBLIC_URL']}/api/v1/payment/webhook",
        "SANDBOX_DODO_PRICE_MINOR": environ.get("CREDIT_PRICE_MINOR", ""),
        "SANDBOX_DODO_CURRENCY": environ.get("CREDIT_CURRENCY", ""),
    }
    return known | dict(environ)


def operator_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """For a command that works on a database: without a `DATABASE_URL`, on that of the stack of `HAIRTRYON_DATA`.

    Raises `StackError` when no stack runs there.
    """
    if environ.get("DATABASE_URL"):
        return dict(environ)
    folder = data_folder(environ)
    addresses = folder.addresses()
    if not addresses:
        raise StackError(
            f"DATABASE_URL is not set, and no stack runs in {folder.root}. Start one with `hairtryon dev`, "
            "or set DATABASE_URL."
        )
    return provided(folder, environ, addresses)
