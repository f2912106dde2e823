from .clients import api, connect


def people():
    return api.user.list().json()


def rooms(host):
    connection = connect()
    return connection.meeting.list(host_id=host).json()


def reports():
    return connect().report.get_account_report(start_time=START, end_time=END)
