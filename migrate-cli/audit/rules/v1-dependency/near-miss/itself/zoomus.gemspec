Gem::Specification.new do |gem|
  gem.name = 'zoomus'
  gem.add_dependency 'httparty'
end
