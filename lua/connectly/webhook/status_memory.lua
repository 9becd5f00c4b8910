-- Stores statuses in the memory of one process. The backend of a store has
--
--   put(event) -> has_changed, problem     `problem` is the reason why it could not be kept
--   get(id) -> record?

local status_rank = require "connectly.webhook.status_rank"

local memory = {}
memory.__index = memory

---@param max integer number of messages to keep
function memory.new(max)
  -- `ids` is a ring: the newest id replaces the oldest.
  return setmetatable({ max = max, records = {}, ids = {}, newest = 0 }, memory)
end

local function make_room(self, id)
  self.newest = self.newest % self.max + 1
  local oldest = self.ids[self.newest]
  if oldest then
    self.records[oldest] = nil
  end
  self.ids[self.newest] = id
end

function memory:put(event)
  local known = self.records[event.id]
  if known and not status_rank.supersedes(event, known) then
    return false
  elseif not known then
    make_room(self, event.id)
  end
  self.records[event.id] = status_rank.record(event)
  return true
end

function memory:get(id)
  local record = self.records[id]
  return record and status_rank.record(record)
end

return memory
