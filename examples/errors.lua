-- Shows what an error contains, and how a program decides what to do next.
--
--   export CONNECTLY_API_KEY=... CONNECTLY_BUSINESS_ID=...
--   lua examples/errors.lua +16045550123
--
-- Without a key, the messages go to a local sandbox; start it first: `connectly sandbox`.
-- With your own key, part 2 sends a message if the customer wrote to you in the last
-- 24 hours; the other parts send nothing.

local connectly = require "connectly.safe" -- calls return nil and an error

-- Your own program can pass { } to connectly.new: see environment.lua.
local options, number = dofile((arg[0]:match("^.*/") or "") .. "environment.lua")

-- This is the point of the example. One question decides: may the message have arrived?
local function decide(err)
  if err.outcome == "unknown" then
    -- The customer may have the message, and a second send could deliver it twice. If it
    -- arrived, its webhooks contain the callback_data that you passed.
    return "look for the delivery webhook"
  elseif err.retryable then
    -- The message was certainly not sent, and the message itself is fine.
    return ("resend in %g seconds"):format(err.retry_after or 30)
  end
  -- The same message would fail again.
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

-- 1. The client never sends an invalid message; it reports all problems at once.
local _, err = client:send_template {
  number = "604 555 0123", template_name = "order_confirmation", langauge = "en", body = { "John", false },
}
show("A message with mistakes", err)

-- 2. The API refuses the message, here because the customer has not written in the last 24 hours.
local id
id, err = client:send_session { number = number, text = "Hello!", callback_data = { order_id = "98765" } }
if id then
  print("\nA session message\n  sent: " .. id)
else
  show("A session message", err)
end

-- 3. No server listens at this address.
local lost = assert(connectly.new {
  api_key = "none", business_id = "none", base_url = "http://127.0.0.1:1", max_attempts = 1,
})
_, err = lost:send_session { number = number, text = "Hello!" }
show("A host that cannot be reached", err)
