"""The one exception of the testbed. Its code is part of the JSON protocol (README.md); nobody reads the text."""


class TestbedError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message
