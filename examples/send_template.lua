-- Sends a template message, with values for its header, body and button.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/send_template.lua +16045550123
--
-- Without a key, the message goes to a local sandbox; start it first: `connectly sandbox`.
-- With your own key, use the name of one of your approved templates and fill its variables.

local connectly = require "connectly"

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local client = connectly.new(options)

local id, info = client:send_template {
  number = number,
  template_name = "order_confirmation",
  language = "en",
  header = { image = "https://example.com/box.png" },
  body = { "John", "Order #98765" },
  buttons = { "track/98765" },
  callback_data = { order_id = "98765" }, -- the delivery webhooks contain it
}

print("sent: " .. id)
print(("HTTP/%s, %.0f ms"):format(info.http_version, info.elapsed * 1000))
