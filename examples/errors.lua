-- Shows what an error tells, and how a program decides by it what to do.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/errors.lua +16045550123
--
-- Without a key it goes to a sandbox, once you have started one: `connectly sandbox`.
-- With your own key the second part sends a message if the customer wrote to you in
-- the last 24 hours; the others send nothing.

local connectly = require "connectly.safe" -- calls return nil and an error

-- { } would do in a program of your own: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

-- The point of it all. One question decides: may the message have arrived?
local function decide(err)
  if err.outcome == "unknown" then
    -- Perhaps the customer has it: sent again, it could arrive twice. The webhooks of
    -- a message that did arrive bring back the callback_data you gave it.
    return "look for the delivery webhook"
  elseif err.retryable then
    -- Proved not sent, and nothing is wrong with the message itself.
    return ("resend in %g seconds"):format(err.retry_after or 30)
  end
  -- Sent again as it is, it would fail again.
  return "give up"
end

local function show(title, err)
  print("\n" .. title)
  print(("  %s, %s, %s"):format(err.kind, err.outcome, err.retryable and "retryable" or "not retryable"))
  print("  message:  " .. err.message)
  for _, problem in ipairs(err.problems or {}) do
    print(("  problem:  %s: %s"):format(problem.param, problem.message))
  end
  print("  code:     " .. (err.code or "none"))
  print("  hint:     " .. (err.hint or "none"))
  print("  decision: " .. decide(err))
end

local client = assert(connectly.new(options))

-- 1. A wrong message never leaves: all that is wrong with it is told at once.
local _, err = client:send_template {
  number = "604 555 0123", template_name = "order_confirmation", langauge = "en", body = { "John", false },
}
show("A message with mistakes", err)

-- 2. The API says no, here because the customer has not written in the last 24 hours.
local id
id, err = client:send_session { number = number, text = "Hello!", callback_data = { order_id = "98765" } }
if id then
  print("\nA session message\n  sent: " .. id)
else
  show("A session message", err)
end

-- 3. Nothing listens at this address.
local lost = assert(connectly.new {
  api_key = "none", business_id = "none", base_url = "http://127.0.0.1:1", max_attempts = 1,
})
_, err = lost:send_session { number = number, text = "Hello!" }
show("A host that cannot be reached", err)
