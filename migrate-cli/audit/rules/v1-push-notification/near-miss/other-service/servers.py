# Nova calls this; its dashboard has a zoom.
def notify(request):
    host_id, uuid = request.json["host_id"], request.json["uuid"]
    if request.json["status"] == "STARTED":
        start(host_id, uuid)
