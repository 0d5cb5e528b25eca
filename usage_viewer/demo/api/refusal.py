"""`Refusal`: an error as the API answers it."""

import json


class Refusal(Exception):
    """Ends a request with `status` and the body `{"error": {"message", "type", "param", "code"}}`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code}

    @property
    def body(self) -> bytes:
        return json.dumps({"error": self.error}).encode()


def bad_parameter(param: str, message: str, code: str = "invalid_value") -> Refusal:
    """400 that names the parameter."""
    return Refusal(400, message, param=param, code=code)
