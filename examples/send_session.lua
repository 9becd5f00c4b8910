-- Sends a session message: free text to a customer who wrote to you in the last 24 hours.
-- Outside that window the API refuses it, and the error says what to do.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/send_session.lua +16045550123
--
-- Without a key, the message goes to a local sandbox; start it first: `connectly sandbox`.
-- To let a customer write to you in the sandbox, run:
--
--   curl -d '{"number":"+14155550123"}' http://127.0.0.1:8077/_sandbox/inbound

local connectly = require "connectly.safe" -- calls return nil and an error

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

local client = assert(connectly.new(options))

local id, err = client:send_session { number = number, text = "Hello! Your order leaves today." }

if not id then
  print("not sent: " .. err.message)
  print("what to do: " .. (err.hint or "nothing is known to help"))
  os.exit(1)
end
print("sent: " .. id)
