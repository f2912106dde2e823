# Zoom
urlpatterns = [path("user/list", views.users), re_path(r"^meeting/create", views.create)]
