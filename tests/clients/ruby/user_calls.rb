#!/usr/bin/env ruby
# Calls v1 as a Ruby client did: POST with everything in the query, no body, no content type, and
# the answer read by its content type.
#
# usage: user_calls.rb V1_URL API_KEY API_SECRET
require "json"
require "net/http"

abort "usage: #{$PROGRAM_NAME} V1_URL API_KEY API_SECRET" unless ARGV.length == 3
URL, KEY, SECRET = ARGV

def call(operation, **parameters)
  uri = URI("#{URL}/#{operation}")
  uri.query = URI.encode_www_form(api_key: KEY, api_secret: SECRET, **parameters)
  request = Net::HTTP::Post.new(uri)
  answer = Net::HTTP.start(uri.host, uri.port, read_timeout: 15) { |http| http.request(request) }
  raise "status #{answer.code}" unless answer.code == "200"
  raise "type #{answer.content_type}" unless answer.content_type == "application/json"

  JSON.parse(answer.body)
end

@count = 0
@failed = 0
def check(name)
  @count += 1
  held = yield
  why = ""
rescue StandardError => e
  held = false
  why = "\n# #{e.message}"
ensure
  @failed += 1 unless held
  puts "#{held ? 'ok' : 'not ok'} #{@count} - #{name}#{why}"
end

check("create: invited, seen in pending") do
  call("user/create", email: "ruby@example.com", type: 1, first_name: "Zoë")
  call("user/pending", page_size: 300)["users"].any? { |user| user["email"] == "ruby@example.com" }
end
check("getbyemail without login_type") do
  user = call("user/getbyemail", email: "ada.lovelace@example.com")
  user["pmi"].is_a?(Integer) && user["disable_chat"] == false && user["id"].is_a?(String)
end
check("list: the first page only") { call("user/list")["users"].length == 30 }
check("delete of a pending user: gone from pending") do
  call("user/delete", id: "ruby@example.com", type: 1)
  call("user/pending", page_size: 300)["users"].none? { |user| user["email"] == "ruby@example.com" }
end
check("nobody: the envelope") { call("user/get", id: "nobody")["error"]["code"] == 1001 }
puts "1..#{@count}"
exit(@failed.zero?)
