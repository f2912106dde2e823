# Customers are not Conferences.
from crm import Customers

service = Customers('k', 's')


def everyone():
    return service.user_list(page_size=100)
