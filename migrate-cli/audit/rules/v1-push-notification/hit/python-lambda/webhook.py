"""Takes what Zoom posts."""
import json
from urllib.parse import parse_qsl


def handler(event, context):
    payload = dict(parse_qsl(event["body"], strict_parsing=True))
    if "type" in payload:
        if payload["type"] != "RECORDING_MEETING_COMPLETED":
            return {"statusCode": 204}
        content = json.loads(payload["content"])
        return queue(content["uuid"], content["host_id"])
    if payload["status"] != "RECORDING_MEETING_COMPLETED":
        return {"statusCode": 204}
    return queue(payload["uuid"], payload["host_id"])
