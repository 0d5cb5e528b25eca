"""Writes the list of parts in CycloneDX's form: versions, licences, and which part needs which."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from linux_package.parts import PROGRAM, Part

_SINGLE_LICENCE = re.compile(r"[\w.+-]+")


def write_sbom(parts: Mapping[str, Part], epoch: int) -> str:
    """Return the list as JSON; the program is its subject, all other parts its components.

    `epoch` is the time of the list in seconds. Equal parts give equal bytes.
    """
    program = parts[PROGRAM]
    others = sorted((part for key, part in parts.items() if key != PROGRAM), key=lambda part: part.id)
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z"),
            "component": _component(program, "application"),
        },
        "components": [_component(part, "library") for part in others],
        "dependencies": [
            {"ref": part.id, "dependsOn": list(part.requires)} if part.requires else {"ref": part.id}
            for part in (program, *others)
        ],
    }
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_URL, content)}"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(part: Part, kind: str) -> dict[str, Any]:
    single = _SINGLE_LICENCE.fullmatch(part.licence)
    licence: dict[str, Any] = {"license": {"id": part.licence}} if single else {"expression": part.licence}
    component: dict[str, Any] = {"type": kind, "bom-ref": part.id, "name": part.name, "licenses": [licence]}
    if part.version:
        component |= {"version": part.version, "purl": part.id}
    if part.homepage.startswith("https://"):
        component["externalReferences"] = [{"type": "website", "url": part.homepage}]
    return component
