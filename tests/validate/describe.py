"""Makes one strict OpenAPI description of several, with v2's base in the paths.

usage: describe.py [--served SANDBOX_URL] DESCRIPTION.json… >v2.json

v2's own descriptions let pass what they do not name, so that a misspelt member is valid, and offer
alternatives that every object fulfils, so that none is the only one. Here members must be named, and
one of the alternatives at least must fit.

--served is for requests that are made up: what the sandbox at that URL does not serve is left out,
bodies may have members that are not named, because v2 ignores them and its settings can be changed
where they are not shown, and every call may be refused, of which v2's descriptions say little.
"""

import json
import re
import sys
import urllib.error
import urllib.request

METHODS = {"get", "post", "put", "patch", "delete"}

# Paths whose last word is an id to the sandbox, which serves another path there.
NAMES = {"/v2/users/summary", "/v2/meetings/meeting_summaries", "/v2/metrics/zoomrooms/issues"}

# An invalid request, no valid token, no such thing, a name that is taken.
REFUSALS = ("400", "401", "404", "409")


def strict(schema):
    """The schema with nothing in it that it does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "oneOf" in schema:
        return {"anyOf": [strict(one) for one in schema["oneOf"]]}
    schema = dict(schema)
    for one in map(strict, schema.pop("allOf", [])):
        schema["type"] = "object"
        schema["properties"] = {**schema.get("properties", {}), **one.get("properties", {})}
        if one.get("required"):
            schema["required"] = schema.get("required", []) + one["required"]
    if "properties" in schema:
        members = schema["properties"].items()
        schema["properties"] = {name: strict(member) for name, member in members}
        schema["additionalProperties"] = False
    if "items" in schema:
        schema["items"] = strict(schema["items"])
    return schema


def lenient(schema):
    """The strict schema, which lets pass what it does not name all the same."""
    if isinstance(schema, list):
        return [lenient(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: lenient(value)
        for name, value in schema.items()
        if (name, value) != ("additionalProperties", False)
    }


def described(operation):
    """An operation with strict schemas in all its bodies."""
    operation = dict(operation)
    # It chooses among the alternatives of an answer.
    operation["parameters"] = [
        parameter
        for parameter in operation.get("parameters", [])
        if parameter["name"] != "option"
    ]
    bodies = [operation.get("requestBody", {})] + list(operation.get("responses", {}).values())
    for body in bodies:
        for content in body.get("content", {}).values():
            if "schema" in content:
                content["schema"] = strict(content["schema"])
    return operation


def is_served(url, path, method):
    """Whether the sandbox knows the path and the method; nothing exists that this asks for."""
    if path in NAMES:
        return False
    headers = {"Authorization": "Bearer sandbox-token"}
    unknown = re.sub(r"\{[^}]*\}", "nobody", path)
    request = urllib.request.Request(url + unknown, method=method.upper(), headers=headers)
    try:
        with urllib.request.urlopen(request):
            return True
    except urllib.error.HTTPError as answer:
        with answer:
            return b'"code":2300' not in answer.read()


arguments = sys.argv[1:]
sandbox = None
if arguments[:1] == ["--served"]:
    sandbox = arguments[1]
    arguments = arguments[2:]
if not arguments:
    sys.exit(__doc__)

whole = None
for name in arguments:
    with open(name, encoding="utf-8") as file:
        one = json.load(file)
    paths = {
        "/v2" + path: {
            key: described(value) if key in METHODS else value for key, value in item.items()
        }
        for path, item in one["paths"].items()
    }
    if whole is None:
        whole = {**one, "paths": paths, "servers": [{"url": "/"}]}
    else:
        # The first description that has a path counts.
        whole["paths"] = {**paths, **whole["paths"]}

if sandbox:
    for path, item in list(whole["paths"].items()):
        for method in METHODS & item.keys():
            if not is_served(sandbox, path, method):
                del item[method]
                continue
            operation = item[method]
            for status in REFUSALS:
                operation["responses"].setdefault(status, {"description": "Refused."})
            for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
                for content in body.get("content", {}).values():
                    content["schema"] = lenient(content["schema"])
        if not METHODS & item.keys():
            del whole["paths"][path]

json.dump(whole, sys.stdout)
