require 'zoomba'

class People
  def find(email)
    Zoomba::User.getbyemail(email: email, login_type: 101)
  end

  def all
    Zoomba::User.list(page_size: 300)
  end
end
