from send import send_rooms

people = send_rooms("user/list", {"page_size": 300})
