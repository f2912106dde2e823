module Zoom
  module Users
    def user_list(options)
      parse self.class.post('/user/list', query: options)
    end

    # def user_get(options)
    #   parse self.class.post('/user/get', query: options)
    # end

    def meetings(options)
      parse self.class.post('/metrics/meetings', query: options)
    end
  end
end
