--- The faults that can be injected into a request, by name.

---@class connectly.sandbox.reply  a scripted reply
---@field status integer|nil  nil: the usual status
---@field headers table<string, string>|nil
---@field body string|nil
---@field delay number|nil  seconds before the first byte
---@field deliver boolean|nil  whether to accept the message; when nil, true below 300
---@field hang_up "before_reply"|"in_body"|"reset"|nil
---@field times integer|nil  1 when nil
---@field operation string|nil  when nil, the sends
---@field once boolean|nil  of magic: only every second time
---@field fate connectly.sandbox.fate|nil

---@class connectly.sandbox.fate  what happens to a message after it was accepted
---@field fails string|nil  the code of its delivery_failed
---@field statuses string[]|nil  the statuses to report; sent, delivered and read when nil

--- In the order of their magic numbers: { name, what it does, reply }.
local all = {
  { "reply_lost", "accepted, but the connection ends before the reply", { hang_up = "before_reply" } },
  { "request_lost", "not accepted, and the connection ends before the reply",
    { status = 500, deliver = false, hang_up = "before_reply" } },
  { "reply_cut", "accepted, but the connection ends in the middle of the reply", { hang_up = "in_body" } },
  { "rate_limited", "429 without Retry-After", { status = 429 } },
  { "retry_after", "429 with Retry-After: 1", { status = 429, headers = { ["Retry-After"] = "1" } } },
  { "busy_once", "429 with Retry-After: 1, and accepted the next time",
    { status = 429, headers = { ["Retry-After"] = "1" }, once = true } },
  { "server_error", "500, not accepted", { status = 500, deliver = false } },
  { "server_error_accepted", "500, but accepted", { status = 500, deliver = true } },
  { "unavailable", "503, not accepted", { status = 503, deliver = false } },
  { "slow", "accepted, answered after 5 seconds", { delay = 5 } },
  { "delivery_failed", "accepted, then delivery_failed with ERROR_CODE_UNSPECIFIED",
    { fate = { fails = "ERROR_CODE_UNSPECIFIED" } } },
  { "never_read", "accepted, sent and delivered, but never read",
    { fate = { statuses = { "sent", "delivered" } } } },
  { "never_told", "accepted, and no webhook tells what became of it", { fate = { statuses = {} } } },
  { "reset", "accepted, but the connection is reset before the reply", { hang_up = "reset" } },
}

local by_name, names = {}, {}
for index, each in ipairs(all) do
  by_name[each[1]], names[index] = each[3], each[1]
end

local faults = { all = all, names = names }

---@param name string
---@return connectly.sandbox.reply?
function faults.find(name)
  return by_name[name]
end

--- Converts a fault to a script for the next requests.
---@param wish { fault: string, times: integer?, operation: string?, delay: number?, code: string? }
---@return connectly.sandbox.reply
function faults.script(wish)
  local reply = { times = wish.times, operation = wish.operation }
  for key, value in pairs(by_name[wish.fault]) do
    reply[key] = value
  end
  reply.delay = wish.delay or reply.delay
  if wish.fault == "delivery_failed" and wish.code then
    reply.fate = { fails = wish.code }
  end
  return reply
end

return faults
