-- Stores statuses in a shared dictionary of nginx, for all workers. Each status of a message is
-- an entry of its own, created by an atomic `add`; the highest one counts. So workers need no lock
-- and cannot overwrite each other's statuses. An entry is the webhook's body, parsed again by
-- `get`, so no number in it is rounded.

local events = require "connectly.webhook.event"
local status_rank = require "connectly.webhook.status_rank"

local dict = {}
dict.__index = dict

---@param shared table of ngx.shared
function dict.new(shared)
  return setmetatable({ shared = shared }, dict)
end

-- To make room for an entry nginx evicts up to 30 of the oldest, but the memory freed need not be
-- contiguous: so `write` tries this often.
local TRIES = 20

local function key_of(rank, id)
  return ("connectly:status:%d:%s"):format(rank, id)
end

--- Returns the body of the highest entry above `floor`, or nil.
local function find(self, id, floor)
  for rank = status_rank.HIGHEST, floor + 1, -1 do
    local raw = self.shared:get(key_of(rank, id))
    if raw then
      return raw
    end
  end
end

local function forget_below(self, id, rank)
  for lower = status_rank.UNKNOWN, rank - 1 do
    self.shared:delete(key_of(lower, id))
  end
end

--- Calls `add` or `set`. Returns true; or false or nil, and the reason.
local function write(self, how, key, raw)
  local is_written, problem
  for _ = 1, TRIES do
    is_written, problem = self.shared[how](self.shared, key, raw)
    if is_written or problem ~= "no memory" then
      break
    end
  end
  return is_written, problem
end

--- All unknown statuses of a message share one entry: they have no rank to order them by.
local function put_unknown(self, event)
  local key = key_of(status_rank.UNKNOWN, event.id)
  local raw = self.shared:get(key)
  if raw and not status_rank.supersedes(event, events.read(raw)) then
    return false
  end
  local is_set, problem = write(self, "set", key, event.raw)
  return is_set or false, problem
end

function dict:put(event)
  local rank = status_rank.of(event.status)
  if find(self, event.id, rank) then
    return false
  elseif rank == status_rank.UNKNOWN then
    return put_unknown(self, event)
  end
  local is_added, problem = write(self, "add", key_of(rank, event.id), event.raw)
  if not is_added then
    return false, problem ~= "exists" and problem or nil
  end
  forget_below(self, event.id, rank)
  -- If a higher status was added meanwhile, its worker looked for this entry too early.
  if find(self, event.id, rank) then
    self.shared:delete(key_of(rank, event.id))
    return false
  end
  return true
end

function dict:get(id)
  local raw = find(self, id, status_rank.UNKNOWN - 1)
  return raw and status_rank.record(events.read(raw)) or nil
end

return dict
