require 'zoomus'
Client = Zoomus.new
