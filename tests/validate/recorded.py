"""Holds recorded v2 calls against an OpenAPI description.

usage: recorded.py v2.json RECORDING.jsonl

What the sandbox refused as not valid (its 300 with a list of fields) may be so: then it was the
client of v1 who sent it.
"""

import collections
import json
import re
import sys
import urllib.parse

import jsonschema

if len(sys.argv) != 3:
    sys.exit(__doc__)
with open(sys.argv[1], encoding="utf-8") as file:
    paths = json.load(file)["paths"]

# Paths without placeholders first: /users/email is not a user.
templates = sorted(paths, key=lambda path: path.count("{"))
patterns = {path: re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path))) for path in templates}
validators = {}


def mistakes(place, schema, value):
    key = json.dumps([place, schema], sort_keys=True)
    validator = validators.setdefault(key, jsonschema.Draft4Validator(schema))
    for error in validator.iter_errors(value):
        where = "/".join(str(step) for step in error.absolute_path)
        yield f"{place} /{where}: {error.message[:160]}"


def body_schema(body):
    return body.get("content", {}).get("application/json", {}).get("schema")


def typed(text, kind):
    try:
        return json.loads(text) if kind in ("integer", "boolean") else text
    except ValueError:
        return text


def violations(call):
    if not call["path"].startswith("/v2/"):
        # Files, and what the sandbox has besides.
        return
    template = next((path for path in templates if patterns[path].fullmatch(call["path"])), None)
    operation = paths.get(template, {}).get(call["method"].lower())
    if operation is None:
        yield f"{call['method']} {call['path']}: not in the description"
        return
    name = f"{call['method']} {template}"
    known = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
    query = dict(urllib.parse.parse_qsl(call["query"] or "", keep_blank_values=True))
    for parameter, text in query.items():
        if parameter not in known:
            yield f"{name}: no parameter {parameter}"
            continue
        schema = known[parameter]["schema"]
        value = typed(text, schema.get("type"))
        yield from mistakes(f"{name} ?{parameter}", schema, value)
    for parameter, one in known.items():
        if one.get("required") and parameter not in query:
            yield f"{name}: lacks {parameter}"
    schema = body_schema(operation.get("requestBody", {}))
    refused = call["status"] == 400 and (call["answer"] or {}).get("errors")
    if call["request"] is not None and not refused:
        if schema is None:
            yield f"{name}: has a body"
        else:
            yield from mistakes(f"{name} body", schema, call["request"])
    answer = operation["responses"].get(str(call["status"]))
    if answer is None:
        # Of refusals v2's descriptions say little.
        if call["status"] < 400:
            yield f"{name}: answered with {call['status']}"
        return
    schema = body_schema(answer)
    if schema is not None and call["status"] < 300:
        yield from mistakes(f"{name} {call['status']}", schema, call["answer"])


calls = collections.Counter()
found = collections.Counter()
with open(sys.argv[2], encoding="utf-8") as file:
    for line in file:
        call = json.loads(line)
        calls[call["status"]] += 1
        found.update(set(violations(call)))

told = ", ".join(f"{count} answered with {status}" for status, count in sorted(calls.items()))
print(f"{calls.total()} v2 calls: {told}")
for violation, count in found.most_common(60):
    print(f"{count:6} {violation}")
if found or not calls:
    sys.exit(1)
print("no violations")
