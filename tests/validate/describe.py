"""Makes one strict OpenAPI description of several, with v2's base in the paths.

usage: describe.py DESCRIPTION.json… >v2.json

v2's own descriptions let pass what they do not name, so that a misspelt member is valid, and offer
alternatives that every object fulfils, so that none is the only one. Here members must be named,
and of the alternatives the first counts: the one that is meant when a request names none.
"""

import json
import sys


def strict(schema):
    """The schema with nothing in it that it does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "oneOf" in schema:
        return strict(schema["oneOf"][0])
    if "allOf" in schema:
        whole = {"type": "object", "properties": {}, "required": []}
        for one in schema["allOf"]:
            whole["properties"].update(one.get("properties", {}))
            whole["required"] += one.get("required", [])
        if not whole["required"]:
            del whole["required"]
        return strict(whole)
    schema = dict(schema)
    if "properties" in schema:
        members = schema["properties"].items()
        schema["properties"] = {name: strict(member) for name, member in members}
        schema["additionalProperties"] = False
    if "items" in schema:
        schema["items"] = strict(schema["items"])
    return schema


def strict_bodies(item):
    """The part of a path with strict schemas in all bodies."""
    if isinstance(item, list):
        return [strict_bodies(one) for one in item]
    if not isinstance(item, dict):
        return item
    return {
        name: {kind: {**one, "schema": strict(one["schema"])} if "schema" in one else one
               for kind, one in value.items()}
        if name == "content"
        else strict_bodies(value)
        for name, value in item.items()
    }


if len(sys.argv) < 2:
    sys.exit(__doc__)

whole = None
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        one = json.load(file)
    paths = {"/v2" + path: strict_bodies(item) for path, item in one["paths"].items()}
    if whole is None:
        whole = {**one, "paths": paths, "servers": [{"url": "/"}]}
    else:
        # The first description that has a path counts.
        whole["paths"] = {**paths, **whole["paths"]}

json.dump(whole, sys.stdout)
