package rooms

var people = askAttic("user/list", Fields{"page_size": "300"})
