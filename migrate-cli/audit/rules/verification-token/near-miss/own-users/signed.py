def zoom_webhook(request):
    if not verify(request.headers["x-zm-signature"], request.body):
        return 401
    log(request.headers["authorization"])
