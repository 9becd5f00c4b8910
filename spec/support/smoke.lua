-- smoke.lua BASE_URL API_KEY BUSINESS_ID: makes the main calls on the Lua that runs it. Prints
-- "sent" on success.

local base_url, api_key, business_id = arg[1], arg[2], arg[3]
local connectly = require "connectly"
local safe = require "connectly.safe"

local message = {
  number = "+14155550123", template_name = "order_confirmation", language = "en",
  header = { image = "https://example.com/box.png" }, body = { "John", 98765 }, buttons = { "track/98765" },
}
local options = { base_url = base_url, api_key = api_key, business_id = business_id, timeout = 10 }
local client = connectly.new(options)

local dry = client:dry_run("send_template", message)
assert(dry:find('{"name":"body_2","value":"98765"}', 1, true), dry)

assert(type(client:send_template(message)) == "string")
assert(type(client:start("send_template", message):wait()) == "string")

local count = 0
for result in client:send_many { message, message, message } do
  count = count + (result.id and 1 or 0)
end
assert(count == 3, count)

message.langauge = "en"
local is_sent, problem = pcall(client.send_template, client, message)
assert(not is_sent and problem.kind == "argument" and problem.outcome == "not_sent", problem)
client:close()

options.base_url = "http://localhost:1" -- where nothing listens
options.max_attempts = 1
local id, refused = safe.new(options):send_session { number = "+14155550123", text = "hello" }
assert(id == nil and refused.outcome == "not_sent" and refused.kind == "network", refused)

print("sent")
