"""Takes the examples of docs/api.md out of it: what it shows is what runs."""

import pathlib
import re
import sys

KINDS = {"sh": "examples.sh", "python": "examples.py", "ts": "examples.ts"}


def main(document, folder):
    """Writes one file for each language; of the shell only what calls the host."""
    found = {}
    for kind, code in re.findall(r"^```(\w+)\n(.*?)^```$", pathlib.Path(document).read_text(), re.DOTALL | re.MULTILINE):
        if kind == "sh" and "curl" not in code:
            continue
        found[kind] = found.get(kind, "") + code
    if set(found) != set(KINDS):
        raise SystemExit(f"{document} has examples in {sorted(found)}")
    for kind, name in KINDS.items():
        (pathlib.Path(folder) / name).write_text(found[kind])


if __name__ == "__main__":
    main(*sys.argv[1:])
