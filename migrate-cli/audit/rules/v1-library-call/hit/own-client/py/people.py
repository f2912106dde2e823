from api import Conferences

service = Conferences('k', 's')


def everyone():
    return service.user_list(page_size=100)


def invited(other: Conferences):
    return other.user.pending()
