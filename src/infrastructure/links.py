"""The links in mails. They lead to configured addresses only, never to what a request's Host header says."""

from application.auth.ports import Links


class ConfiguredLinks(Links):
    def __init__(self, *, public_url: str, frontend_url: str) -> None:
        self._public_url = public_url.rstrip("/")
        self._frontend_url = frontend_url.rstrip("/")

    def verification(self, token: str) -> str:
        if self._frontend_url:
            return f"{self._frontend_url}/verify?token={token}"
        return f"{self._public_url}/api/v1/auth/verify?token={token}"

    def password_reset(self, token: str) -> str:
        return f"{self.sign_in()}/reset-password?token={token}"

    def sign_in(self) -> str:
        return self._frontend_url or self._public_url
