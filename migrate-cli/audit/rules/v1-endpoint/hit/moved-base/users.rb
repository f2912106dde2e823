module Zoom
  module Users
    def pending(options)
      self.class.post('/user/pending', query: options)
    end

    def custcreate(options)
      self.class.post('/user/custcreate', query: options)
    end
  end
end
