from integrations.http import form_post


def roster(settings):
    return form_post('user/list', api_key=settings.key, page_size=300)


def room(settings, host):
    return form_post('meeting/create', api_key=settings.key, host_id=host, topic='Lesson', type=2)
