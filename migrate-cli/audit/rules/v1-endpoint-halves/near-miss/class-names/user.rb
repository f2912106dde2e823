# Zoom into the picture of a person.
class User < Base
  def self.all
    perform_request(:list)
  end

  def self.create(args)
    perform_request(:create, args)
  end

  def delete
    perform_request(:delete, id: id)
  end
end
