-- Sends a template message from luv's event loop, whose timers tick meanwhile.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/loop_luv.lua +16045550123
--
-- Needs luv (Debian: lua-luv). Without a key it goes to a sandbox, once you have
-- started one: `connectly sandbox`.

local uv = require "luv"
local connectly = require "connectly.safe"

-- { } would do in a program of your own: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local client = connectly.loop.luv.attach(assert(connectly.new(options)))

local ticks = 0
local timer = uv.new_timer()
timer:start(1, 1, function() ticks = ticks + 1 end)

-- A call gives way to the loop from a coroutine, and from there alone.
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

uv.run() -- ends when the message has gone: the client keeps no loop alive
