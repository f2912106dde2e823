let people = askHall("user/list", Fields())
