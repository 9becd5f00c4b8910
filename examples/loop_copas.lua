-- Sends a template message from a copas thread; other copas threads run meanwhile.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/loop_copas.lua +16045550123
--
-- Needs copas (Debian: lua-copas). Without a key, the message goes to a local sandbox;
-- start it first: `connectly sandbox`.

local copas = require "copas"
local connectly = require "connectly.safe"

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local client = connectly.loop.copas.attach(assert(connectly.new(options)))
local steps, is_sent = 0, false

copas.addthread(function()
  local id, err = client:send_template {
    number = number, template_name = "order_confirmation", language = "en",
    header = { image = "https://example.com/box.png" },
    body = { "John", "Order #98765" },
    buttons = { "track/98765" },
  }
  print(id and "sent: " .. id or "not sent: " .. tostring(err))
  print(("meanwhile copas took %d steps"):format(steps))
  is_sent = true
end)

-- With copas 2 or later, use copas.loop(). In copas 1 (Debian's) it never returns.
while not is_sent do
  copas.step(0.001)
  steps = steps + 1
end
