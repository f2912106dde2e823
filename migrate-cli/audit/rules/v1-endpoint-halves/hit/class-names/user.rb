module Rooms
  # A person, as Zoom knows one.
  class User < Base
    class << self
      def create(args = {})
        new(perform_request(:custcreate, args))
      end

      def all(args = {})
        perform_request(:list, args)
      end
    end

    def delete
      perform_request(:delete, id: id)
      notify(:update)
    end
  end
end
