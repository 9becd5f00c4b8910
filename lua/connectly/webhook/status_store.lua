---Stores the delivery statuses of messages: the webhook handler puts them in, the sender
---of a message queries them.
---
---  local store = require("connectly.webhook").status_store()
---  store:put(webhook:parse(raw_body))
---  local known = store:get(id)          -- known.status, known.error, …
---
---Events may arrive in any order and repeatedly: sent < delivered < read < delivery_failed,
---and the highest counts. An unknown status counts until a known one arrives.
---API: webhooks, topic delivery_status.
---
---client:wait_delivery accepts any table with get(store, id) and one or both of
--- * watch(store, id, signal): from then on calls signal:set() at each change of the id's status
--- * interval: seconds between two polls

local checks = require "connectly.options"
local errors = require "connectly.errors"
local private = require "connectly.private"
local watchers = require "connectly.webhook.watchers"

---@class connectly.DeliveryStatus fields of the event whose status counts
---@field status string "sent", "delivered", "read", "delivery_failed"; an open set
---@field error connectly.Error? why it was not delivered
---@field timestamp number? Unix seconds
---@field callback_data any
---@field campaign_name string?

local MAX, MAX_MAX = 100000, 10000000
local INTERVAL, LONGEST_INTERVAL = 0.25, 60

-- The private state of each store: printing a store shows none of it.
local inner_of, inner = private.new("status store", "store")

local function check_id(id, method)
  if type(id) ~= "string" then
    error(("connectly: %s: the id of a message expected, a string; got %s"):format(method, type(id)), 3)
  end
end

---- options

local function refuse(param, problem)
  error(errors.config(param, problem), 0)
end

local KNOWN = { { "max", "number" }, { "dict", "string" }, { "interval", "number" } }

local function check_types(options)
  local name, problem = checks.fault(options, KNOWN, "only %s are known")
  if name then
    refuse(name, problem)
  end
end

local function check(options)
  check_types(options)
  local max, interval = options.max or MAX, options.interval or INTERVAL
  if not (max >= 1 and max <= MAX_MAX and max % 1 == 0) then
    refuse("max", ("a whole number from 1 to %d expected"):format(MAX_MAX))
  elseif not (interval > 0 and interval <= LONGEST_INTERVAL) then
    refuse("interval", ("more than 0 and at most %d seconds expected"):format(LONGEST_INTERVAL))
  elseif options.dict and options.max then
    refuse("max", "given beside `dict`, whose size is the ceiling")
  elseif options.interval and not options.dict then
    refuse("interval", "given without `dict`: nothing else is polled")
  end
  return { max = max, dict = options.dict, interval = interval }
end

local function find_dict(name)
  local ngx = rawget(_G, "ngx")
  if type(ngx) ~= "table" or not ngx.shared then
    refuse("dict", "a shared dictionary is there in nginx alone")
  end
  return ngx.shared[name] or refuse("dict", "there is no lua_shared_dict of this name")
end

--- Warns when nginx has several workers: each would have a store of its own.
local function warn_of_workers()
  local ngx = rawget(_G, "ngx")
  if type(ngx) == "table" and ngx.worker and ngx.worker.count() > 1 then
    ngx.log(ngx.WARN, "connectly: a status store without `dict` knows of the webhooks of its own worker alone, and there are ",
      ngx.worker.count())
  end
end

---- the store

local methods = {}

---Stores the status of an event of webhook:parse. Ignores events of other kinds.
---@param event connectly.WebhookEvent
---@return boolean has_changed false when the status was known or outdated, or the event is not a message's status
---@return string? problem why the status could not be kept, when `dict` has no room for it
function methods:put(event)
  local own = inner(self, "put")
  if type(event) ~= "table" then
    error(("connectly: put: an event of webhook:parse expected, got %s"):format(type(event)), 2)
  end
  if event.kind ~= "status" or type(event.id) ~= "string" then
    return false
  end
  local has_changed, problem = own.backend:put(event)
  if has_changed then
    own.watchers:wake(event.id)
  end
  return has_changed, problem
end

---Returns the status of a message.
---@param id string what the send call returned
---@return connectly.DeliveryStatus?
function methods:get(id)
  local own = inner(self, "get")
  check_id(id, "get")
  return own.backend:get(id)
end

---From now on sets the signal at each status change that this process makes. The store
---holds the signal weakly: the caller must keep a reference to it.
---@param id string
---@param signal {set: fun(signal: table)}
function methods:watch(id, signal)
  local own = inner(self, "watch")
  check_id(id, "watch")
  own.watchers:add(id, signal)
end

local metatable = {
  __name = "connectly.status_store", __metatable = "connectly.status_store", __index = methods,
  __tostring = function() return "connectly.status_store" end,
}

local status_store = {}

---@class connectly.StatusStoreOptions
---@field max integer? number of messages to keep; a new one replaces the oldest; default 100000,
--- which take about 50 MB
---@field dict string? a lua_shared_dict, best used for nothing else, that all workers of one nginx share; a message
--- takes about a kilobyte, and nginx evicts the least recently used when it is full
---@field interval number? with `dict`: seconds between two polls of client:wait_delivery; default 0.25

---Creates a store in the memory of this process or, with `dict`, in memory that one nginx's
---workers share. Raises a connectly.Error of kind `config` when the options are wrong.
---@param options connectly.StatusStoreOptions?
---@return connectly.StatusStore store
function status_store.new(options)
  local checked = check(options == nil and {} or options)
  local backend
  if checked.dict then
    backend = require("connectly.webhook.status_dict").new(find_dict(checked.dict))
  else
    backend = require("connectly.webhook.status_memory").new(checked.max)
    warn_of_workers()
  end
  local made = setmetatable({ interval = checked.dict and checked.interval or nil }, metatable)
  inner_of[made] = { backend = backend, watchers = watchers.new() }
  return made
end

return status_store
