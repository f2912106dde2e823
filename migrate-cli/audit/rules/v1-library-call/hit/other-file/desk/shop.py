from shop.client import api

api.user.list().json()
