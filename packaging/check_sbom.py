"""Checks that a list of parts follows CycloneDX's schema. Runs in the environment of the audit tools."""

from __future__ import annotations

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main(arguments: list[str]) -> int:
    """Check the given files; return the exit status."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    status = 0 if arguments else 1
    for name in arguments:
        problem = validator.validate_str(Path(name).read_text(encoding="utf-8"))
        print(f"{name}: {problem or 'follows the schema of CycloneDX 1.6.'}")
        status = 1 if problem else status
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
