-- Decides which status of a message counts when several have arrived, in any order and possibly
-- repeated. A failure ranks highest, so the order of arrival does not matter. API: webhooks,
-- topic delivery_status.

local RANK = { sent = 1, delivered = 2, read = 3, delivery_failed = 4 }

local status_rank = {}

---The highest rank, and the rank of unknown statuses: 0.
status_rank.HIGHEST, status_rank.UNKNOWN = RANK.delivery_failed, 0

---@param status string
---@return integer
function status_rank.of(status)
  return RANK[status] or status_rank.UNKNOWN
end

--- Of two unknown statuses the later arrival counts, unless its timestamp says that it is the
--- older one.
local function is_later(newer, older)
  return newer.status ~= older.status
    and not (newer.timestamp and older.timestamp and newer.timestamp < older.timestamp)
end

---Tells whether a new status replaces the stored one.
---@param newer {status: string, timestamp: number?}
---@param older {status: string, timestamp: number?}
---@return boolean
function status_rank.supersedes(newer, older)
  local rank, known = status_rank.of(newer.status), status_rank.of(older.status)
  if rank == known then
    return rank == status_rank.UNKNOWN and is_later(newer, older)
  end
  return rank > known
end

--- Makes a deep copy. JSON values hold no cycles.
local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = setmetatable({}, getmetatable(value))
  for name, inner in next, value do
    made[name] = copy(inner)
  end
  return made
end

---Returns what a store keeps of an event: a copy, so that the caller may change the event.
---@param event connectly.WebhookEvent
---@return connectly.DeliveryStatus
function status_rank.record(event)
  return {
    status = event.status, error = copy(event.error), timestamp = event.timestamp,
    callback_data = copy(event.callback_data), campaign_name = event.campaign_name,
  }
end

return status_rank
