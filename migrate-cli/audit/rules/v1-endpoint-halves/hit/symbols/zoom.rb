class Zoom
  def initialize
    @connection = Faraday.new(url: 'https://api.zoom.us')
  end

  def call(resource, action, form = {})
    @connection.post("/v1/#{resource}/#{action}", form.merge(api_key: KEY, api_secret: SECRET))
  end

  def people = call('user', 'list', page_size: 300)

  def create(email)
    call(:user, :custcreate, email: email, type: 1)
  end

  def rights(person)
    permit(:user, :create) if person.admin?
  end
end
