-- Sends a template message from a cqueues controller; its other coroutines run meanwhile.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/loop_cqueues.lua +16045550123
--
-- Needs cqueues (Debian: lua-cqueues). Without a key, the message goes to a local
-- sandbox; start it first: `connectly sandbox`.

local cqueues = require "cqueues"
local connectly = require "connectly.safe"

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local client = connectly.loop.cqueues.attach(assert(connectly.new(options)))
local controller = cqueues.new()
local ticks, is_sent = 0, false

controller:wrap(function()
  while not is_sent do
    cqueues.sleep(0.001)
    ticks = ticks + 1
  end
end)

controller:wrap(function()
  local id, err = client:send_template {
    number = number, template_name = "order_confirmation", language = "en",
    header = { image = "https://example.com/box.png" },
    body = { "John", "Order #98765" },
    buttons = { "track/98765" },
  }
  print(id and "sent: " .. id or "not sent: " .. tostring(err))
  print(("meanwhile another coroutine ran %d times"):format(ticks))
  is_sent = true
end)

assert(controller:loop()) -- returns once the message is sent: the client does not keep the loop alive
