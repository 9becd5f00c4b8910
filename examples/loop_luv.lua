-- Sends a template message from luv's event loop; timers fire meanwhile.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/loop_luv.lua +16045550123
--
-- Needs luv (Debian: lua-luv). Without a key, the message goes to a local sandbox;
-- start it first: `connectly sandbox`.

local uv = require "luv"
local connectly = require "connectly.safe"

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local client = connectly.loop.luv.attach(assert(connectly.new(options)))

local ticks = 0
local timer = uv.new_timer()
timer:start(1, 1, function() ticks = ticks + 1 end)

-- A call yields to the loop only when it runs in a coroutine.
coroutine.wrap(function()
  local id, err = client:send_template {
    number = number, template_name = "order_confirmation", language = "en",
    header = { image = "https://example.com/box.png" },
    body = { "John", "Order #98765" },
    buttons = { "track/98765" },
  }
  print(id and "sent: " .. id or "not sent: " .. tostring(err))
  print(("meanwhile the timer ticked %d times"):format(ticks))
  timer:close()
end)()

uv.run() -- returns once the message is sent: the client does not keep the loop alive
