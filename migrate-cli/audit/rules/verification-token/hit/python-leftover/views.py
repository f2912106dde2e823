def zoom_hook(request):
    if request.headers.get("x-zm-signature"):
        verify(request)
    elif request.headers["Authorization"] != settings.VERIFICATION_TOKEN:
        raise PermissionDenied
