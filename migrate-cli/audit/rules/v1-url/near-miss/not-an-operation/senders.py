SENDERS = ['https://api.zoom.us/v1/sms/send', 'https://api.zoom.us/v1/login']
