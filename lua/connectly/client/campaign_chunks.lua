-- Splits a list of campaign entries into several requests (chunks). All chunks are encoded
-- before the first request is sent, so that later changes to the tables have no effect. API: campaigns.

local checks = require "connectly.options"
local errors = require "connectly.errors"
local json = require "connectly.json"

-- Default number of entries in one request. The API documents no limit.
local CHUNK_SIZE, CHUNK_SIZE_MAX = 100, 1000

-- A list of more entries would not fit in memory; it is not split, and the core reports the error.
local ENTRIES_MAX = 1000000
local PROBLEMS_MAX = 100 -- at most so many problems in one error

local campaign_chunks = {}

--- Tells whether a table can be read raw: its metatable may mark it but not compute its
--- contents. getmetatable may return anything for a protected metatable; setting that fails.
local function is_plain(given)
  local metatable = getmetatable(given)
  if metatable == nil then
    return true
  end
  local is_seen = type(metatable) == "table" and pcall(setmetatable, given, metatable)
  return is_seen and not (rawget(metatable, "__index") or rawget(metatable, "__len") or rawget(metatable, "__pairs"))
end

--- Returns the number of items of a list that can be split; nil for anything else.
local function count_items(list)
  if type(list) ~= "table" or not is_plain(list) then
    return nil
  end
  local count = 0
  for key in next, list do
    count = count + 1
    if type(key) ~= "number" or count > ENTRIES_MAX then
      return nil
    end
  end
  for index = 1, count do
    if rawget(list, index) == nil then
      return nil
    end
  end
  return count
end

local KNOWN = { { "chunk_size", "any" } }

local function check_chunk_size(options)
  local name, problem = checks.fault(options == nil and {} or options, KNOWN)
  if name then
    error(("connectly: send_campaigns: %s: %s"):format(name, problem), 0)
  end
  local size = options and options.chunk_size or CHUNK_SIZE
  if type(size) ~= "number" or size % 1 ~= 0 or size < 1 or size > CHUNK_SIZE_MAX then
    error(("connectly: send_campaigns: chunk_size: whole number from 1 to %d expected"):format(CHUNK_SIZE_MAX), 0)
  end
  return math.floor(size) -- an integer on a Lua that has them
end

--- Returns a copy of the message with the entries from `first` to `last`.
local function part_of(message, list, first, last)
  local part = { entries = {} }
  for name, value in next, message do
    if name ~= "entries" then
      part[name] = value
    end
  end
  for index = first, last do
    part.entries[index - first + 1] = rawget(list, index)
  end
  return part
end

--- Returns { first, message } for each request. A message whose metatables compute something
--- is not split, because the core must read it; the core also reports the errors of a value
--- that is not a list.
local function split(message, size)
  local is_whole = type(message) ~= "table" or not is_plain(message)
  local list = not is_whole and message.entries or nil
  local count = count_items(list) or 0
  if count == 0 then
    return { { first = 1, message = message } }
  end
  local chunks = {}
  for first = 1, count, size do
    chunks[#chunks + 1] = { first = first, message = part_of(message, list, first, math.min(first + size - 1, count)) }
  end
  return chunks
end

--- Changes entry indexes within a chunk to indexes in the whole list.
local function rename(text, offset)
  return (text:gsub("entries%[(%d+)%]", function(index)
    return ("entries[%d]"):format(tonumber(index) + offset)
  end))
end

local function renamed(problem, offset)
  problem.param = problem.param and rename(problem.param, offset)
  problem.message = rename(problem.message, offset)
  for _, one in ipairs(problem.problems or {}) do
    one.param, one.message = rename(one.param, offset), rename(one.message, offset)
  end
  return problem
end

local function refusal(index, twin)
  local param, text = ("entries[%d]"):format(index), ("the same number and campaign as entries[%d]"):format(twin)
  return errors.new {
    kind = "argument", outcome = "not_sent", message = param .. ": " .. text, param = param,
    problems = { { param = param, message = text } },
  }
end

--- Returns a key of the recipient, campaign and version of an encoded entry.
local function key_of(entry)
  local name = entry.campaignName
  return ("%s %d %s %s"):format(entry.client, #name, name, entry.campaignVersion or "")
end

--- Returns the entries of an encoded body; raises a connectly.Error when it cannot be decoded.
local function entries_of(chunk)
  local decoded = json.decode(chunk.body)
  if decoded == nil then
    local param = ("entries[%d]"):format(chunk.first)
    error(errors.new {
      kind = "argument", outcome = "not_sent", param = param,
      message = param .. ": this entry or a later one is nested too deeply to be searched for duplicates",
    }, 0)
  end
  return decoded.entries
end

--- Finds duplicate entries across requests. The core finds those within one request.
local function find_twin(chunks)
  local seen = {}
  for _, chunk in ipairs(chunks) do
    for index, entry in ipairs(entries_of(chunk)) do
      local key, place = key_of(entry), chunk.first + index - 1
      if seen[key] then
        return refusal(place, seen[key])
      end
      seen[key] = place
    end
  end
end

--- Adds the problems of a further chunk to the first chunk's error. A problem that is not
--- about an entry is the same in each chunk and is reported once.
local function add_problems(problem, more)
  problem.problems = problem.problems or {}
  for _, one in ipairs(more.problems or {}) do
    if #problem.problems < PROBLEMS_MAX and tostring(one.param):find("^entries%[") then
      problem.problems[#problem.problems + 1] = one
    end
  end
  return problem
end

local function encode_all(chunks, encode)
  local problem
  for _, chunk in ipairs(chunks) do
    local body, second = encode(chunk.message)
    if body then
      chunk.body, chunk.batch, chunk.message = body, second, nil
    else
      local renumbered = renamed(second, chunk.first - 1)
      problem = problem and add_problems(problem, renumbered) or renumbered
    end
  end
  return problem
end

--- Checks and encodes all entries, in as many requests as needed.
---@param message table with `entries`
---@param options {chunk_size: integer?}?
---@param encode fun(message: table): string?, any returns the body and a batch for `send`; or nil, error
---@return {first: integer, body: string, batch: any}[]? chunks
---@return connectly.Error?
function campaign_chunks.prepare(message, options, encode)
  local chunks = split(message, check_chunk_size(options))
  local problem = encode_all(chunks, encode)
  if not problem and #chunks > 1 then
    local is_read, found = pcall(find_twin, chunks)
    if not is_read and not errors.is_error(found) then
      error(found, 0)
    end
    problem = found
  end
  return not problem and chunks or nil, problem
end

return campaign_chunks
