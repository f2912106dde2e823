# The base URL comes from the environment.
class ZoomClient
  def send_form(path, form)
    form[:api_key] = ENV['KEY']
    form[:api_secret] = ENV['SECRET']
    post(ENV['CONFERENCE_URL'] + path, form)
  end

  def users
    send_form('user/list', page_size: 300)
  end

  def create(email)
    send_form('user/custcreate', email: email, type: 1)
  end
end
