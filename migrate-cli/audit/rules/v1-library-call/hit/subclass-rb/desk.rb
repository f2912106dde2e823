class Desk < Zoomus::Client
  def everybody
    user_list(page_size: 30)
  end
end

Desk.new.user_get(id: 1)
