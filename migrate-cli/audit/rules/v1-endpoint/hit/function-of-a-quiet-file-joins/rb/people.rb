people = ask_booth('user/list', page_size: 300)
