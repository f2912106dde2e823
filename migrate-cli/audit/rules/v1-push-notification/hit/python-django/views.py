# Zoom posts here.
@csrf_exempt
def zoom_push(request):
    meeting = Meeting.objects.get(host=request.POST["host_id"], uuid=request.POST["uuid"])
    if request.POST.get("status") == "ENDED":
        meeting.finish()
    return HttpResponse(status=204)
