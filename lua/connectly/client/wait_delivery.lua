-- client:wait_delivery: waits until webhooks have reported a message's status. The webhook
-- handler feeds the client's status store (connectly.webhook.status_store).

local checks = require "connectly.options"
local errors = require "connectly.errors"
local native = require "connectly.loader"
local status_rank = require "connectly.webhook.status_rank"

local LONGEST = 86400
-- Seconds that one blocking sleep in C may last: see inner.lua.
local SLICE = 0.1

local delivery = {}

---- arguments

local KNOWN = { { "until_status", "string" } }
local WANTED = { sent = true, delivered = true, read = true }

local function fault_of_options(options)
  local name, problem = checks.fault(options, KNOWN, "only `%s` is known")
  if name then
    return name .. ": " .. problem
  end
  if options.until_status ~= nil and not WANTED[options.until_status] then
    return 'until_status: "sent", "delivered" or "read" expected'
  end
end

--- Returns what is wrong with a call's arguments, or nil.
local function fault(id, timeout, options)
  if type(id) ~= "string" or id == "" then
    return "id: what the send call returned expected, got " .. (id == "" and "an empty string" or type(id))
  elseif type(timeout) ~= "number" or not (timeout >= 0 and timeout <= LONGEST) then
    return ("timeout: seconds from 0 to %d expected"):format(LONGEST)
  end
  return options ~= nil and fault_of_options(options) or nil
end

---- results

local function failure(record)
  return record.error or errors.new {
    kind = "rejected", outcome = "rejected", message = "the message was not delivered; the webhook gives no reason",
  }
end

--- Makes the error of a timeout: the message was accepted and may still arrive, or has arrived.
local function overdue(record, wanted, timeout)
  local message = ("no webhook told of the message in %g s"):format(timeout)
  local hint = "it was accepted, do not send it again: check that the webhook of topic delivery_status feeds this status store"
  if record then
    -- An unknown status may hold any text, so it is not shown.
    local status = status_rank.of(record.status) > status_rank.UNKNOWN and record.status or "of an unknown status"
    message = ("after %g s the message is %s, and not %s"):format(timeout, status, wanted)
    hint = record.status == "delivered" and 'customers can switch read receipts off: until_status = "delivered" does without'
      or "it was accepted, do not send it again: wait longer"
  end
  return errors.new { kind = "timeout", outcome = "unknown", message = message, hint = hint, delivery = record }
end

--- Returns status, record; or nil, error; or nothing while the message may still change.
local function judge(record, wanted)
  local rank = record and status_rank.of(record.status) or status_rank.UNKNOWN
  if rank == status_rank.HIGHEST then
    return nil, failure(record)
  elseif rank >= status_rank.of(wanted) then
    return record.status, record
  end
end

---- waiting

local function sleep(seconds)
  local until_then = native.clock() + seconds
  while seconds > 0 do
    native.sleep(math.min(seconds, SLICE))
    seconds = until_then - native.clock()
  end
end

--- Returns a function that waits for news, for at most the given seconds.
local function find_pause(self, store, id)
  if self.host and self.host:may_wait("wait_delivery") then
    local signal = self.host:signal()
    if store.watch then
      store:watch(id, signal)
    end
    return function(seconds) signal:wait(seconds) end
  elseif not store.interval then
    error("connectly: wait_delivery: nothing can feed the status store while this program waits: call it in nginx, or in an "
      .. "event loop that takes the webhooks in (connectly.loop)", 0)
  end
  return sleep
end

--- Returns status, record; or nil, error.
local function wait(self, store, id, timeout, wanted)
  local until_then = native.clock() + timeout
  local record = store:get(id)
  local status, second = judge(record, wanted)
  local pause = not second and timeout > 0 and find_pause(self, store, id)
  while not second do
    local left = until_then - native.clock()
    if left <= 0 then
      return nil, overdue(record, wanted, timeout)
    end
    pause(math.min(left, store.interval or left))
    record = store:get(id)
    status, second = judge(record, wanted)
  end
  return status, second
end

local function tells_news(store)
  return type(store.watch) == "function" or type(store.interval) == "number" and store.interval > 0
end

--- Returns the error of a wrong option `status_store`, or nil.
function delivery.refusal(store)
  if type(store) ~= "table" then
    return errors.config("status_store", "one of connectly.webhook.status_store expected, got " .. type(store))
  elseif type(store.get) ~= "function" or not tells_news(store) then
    return errors.config("status_store", "a store has get(store, id), and watch(store, id, signal) or interval")
  end
end

--- `self` has status_store, timeout and host (connectly.client.inner).
function delivery.wait(self, id, timeout, options)
  timeout = timeout == nil and self.timeout or timeout
  local problem = fault(id, timeout, options)
  if problem then
    error("connectly: wait_delivery: " .. problem, 4)
  elseif not self.status_store then
    return nil, errors.config("status_store", "wait_delivery needs one: connectly.new{ status_store = … }")
  end
  return wait(self, self.status_store, id, timeout, options and options.until_status or "read")
end

return delivery
