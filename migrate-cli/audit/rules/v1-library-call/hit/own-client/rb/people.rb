require_relative 'api'

def everyone
  Conferences.new.user_list(page_size: 100)
end

SERVICE = Conferences.new
def one(id)
  SERVICE.user_get(id: id)
end
