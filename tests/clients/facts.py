"""States facts, one line each; the process fails when one of them is not so."""

import json
import sys
import urllib.request


class Facts:
    def __init__(self):
        self.told = 0
        self.wrong = 0

    def equal(self, text, found, expected):
        self.told += 1
        if found == expected:
            print(f"ok    {text}")
        else:
            self.wrong += 1
            print(f"WRONG {text}: {found!r} instead of {expected!r}")

    def true(self, text, found):
        self.equal(text, bool(found), True)

    def raises(self, text, kind, run):
        """The error, for further facts; None when there was none of this kind."""
        try:
            run()
        except kind as error:
            self.equal(text, type(error).__name__, kind.__name__)
            return error
        except Exception as error:  # whatever it is, it is not the expected one
            self.equal(text, type(error).__name__, kind.__name__)
            return None
        self.equal(text, "no error", kind.__name__)
        return None

    def end(self):
        print(f"{self.told} facts, {self.wrong} wrong")
        sys.exit(1 if self.wrong or not self.told else 0)


def control(address, method, path, body=None):
    """A call of the simulator's control API."""
    request = urllib.request.Request(f"{address}/control/{path}", method=method, data=json.dumps(body or {}).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
