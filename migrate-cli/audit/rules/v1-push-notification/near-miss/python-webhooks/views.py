# Zoom's webhooks.
STATES = {"meeting.started": "STARTED", "meeting.ended": "ENDED"}


def zoom(request):
    event = json.loads(request.body)
    verify(request.headers["x-zm-signature"], request.body)
    meeting = event["payload"]["object"]
    Meeting.objects.filter(uuid=meeting["uuid"], host_id=meeting["host_id"]).update(
        status=STATES.get(event["event"], request.POST.get("status")))
    return HttpResponse(status=204)
