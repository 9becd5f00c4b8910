-- Campaign sendouts: a reply as a table, and more entries than go in one request.
-- API: campaigns.

local errors = require "connectly.errors"
local native = require "connectly.loader"

-- Entries in one request, unless the caller says otherwise. No limit is documented.
local CHUNK_SIZE, CHUNK_SIZE_MAX = 100, 1000

---@class connectly.Campaigns
---@field accepted integer entries that the API took
---@field rejected integer entries that it refused
---@field sendouts {accepted: integer, rejected: integer, error: any, reply: table}[] one a campaign and version
---@field chunks {first: integer, last: integer, outcome: string, error: connectly.Error?}[]? one a request

-- More than anybody sends at once; beyond it the core says what is wrong.
local ENTRIES_MAX = 1000000

local campaigns = {}

local function is_null(value)
  return value == nil or value == native.null
end

--- What stands for an error, or nil.
local function read_problem(value)
  if is_null(value) or value == false or value == "" then
    return nil
  end
  return value
end

--- A count, which the API may write in digits. What is 0 may be left out.
local function read_count(value)
  return is_null(value) and 0 or tonumber(value)
end

local function sum_up(result)
  result.accepted, result.rejected = 0, 0
  for _, sendout in ipairs(result.sendouts) do
    result.accepted = result.accepted + sendout.accepted
    result.rejected = result.rejected + sendout.rejected
  end
  return result
end

--- What a reply says of each campaign. The core has read it before, and says what follows
--- from it (core/sendouts): here nothing is judged.
---@param reply table decoded
---@return connectly.Campaigns
function campaigns.read(reply)
  local result = { sendouts = {} }
  for index, item in ipairs(reply.data) do
    result.sendouts[index] = {
      accepted = read_count(item.acceptedCount), rejected = read_count(item.rejectedCount),
      error = read_problem(item.error), reply = item,
    }
  end
  return sum_up(result)
end

--- A list without holes and other keys, and nothing computed: how many items; or nil.
local function plain_count(entries)
  if type(entries) ~= "table" or getmetatable(entries) ~= nil then
    return nil
  end
  local count = 0
  for key in next, entries do
    count = count + 1
    if type(key) ~= "number" or count > ENTRIES_MAX then
      return nil
    end
  end
  for index = 1, count do
    if entries[index] == nil then
      return nil
    end
  end
  return count
end

--- How many entries a message holds, where that can be told.
---@param message any
---@return integer?
function campaigns.count(message)
  return type(message) == "table" and plain_count(message.entries) or nil
end

local function check_chunk_size(options)
  if options ~= nil and type(options) ~= "table" then
    error("connectly: send_campaigns: options: table expected, got " .. type(options), 0)
  end
  for name in pairs(options or {}) do
    if name ~= "chunk_size" then
      error(("connectly: send_campaigns: unknown option `%s`; known is chunk_size"):format(tostring(name)), 0)
    end
  end
  local size = options and options.chunk_size or CHUNK_SIZE
  if type(size) ~= "number" or size % 1 ~= 0 or size < 1 or size > CHUNK_SIZE_MAX then
    error(("connectly: send_campaigns: chunk_size: whole number from 1 to %d expected"):format(CHUNK_SIZE_MAX), 0)
  end
  return size
end

local function split(message, size)
  local chunks = {}
  for first = 1, #message.entries, size do
    local chunk = { first = first, last = math.min(first + size - 1, #message.entries), message = { entries = {} } }
    for name, value in pairs(message) do
      if name ~= "entries" then
        chunk.message[name] = value
      end
    end
    for index = chunk.first, chunk.last do
      chunk.message.entries[index - first + 1] = message.entries[index]
    end
    chunks[#chunks + 1] = chunk
  end
  return chunks
end

--- An entry of a chunk by its place among all.
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

--- As the core writes it: 2 and 2.0 are the same.
local function as_text(value)
  return type(value) == "number" and ("%.14g"):format(value) or tostring(value)
end

local function key_of(entry)
  if type(entry) ~= "table" then
    return nil
  end
  local number = entry.number or entry.client
  local who = type(number) == "table" and number.id or number
  local name, version = entry.campaign_name or entry.campaignName, entry.campaign_version or entry.campaignVersion
  return ("%s\0%s\0%s"):format(as_text(who), as_text(name), as_text(version))
end

--- Within one request the core looks; across requests nobody else does.
local function find_twin(entries)
  local seen = {}
  for index, entry in ipairs(entries) do
    local key = key_of(entry)
    if key and seen[key] then
      local param, text = ("entries[%d]"):format(index), ("the same number and campaign as entries[%d]"):format(seen[key])
      return errors.new {
        kind = "argument", outcome = "not_sent", message = param .. ": " .. text, param = param,
        problems = { { param = param, message = text } },
      }
    end
    seen[key or index] = index
  end
end

--- All are checked before the first goes.
local function check_all(chunks, entries, check)
  for _, chunk in ipairs(chunks) do
    local is_fine, problem = check(chunk.message)
    if not is_fine then
      return renamed(problem, chunk.first - 1)
    end
  end
  return find_twin(entries)
end

local function note(result, chunk, reply, problem)
  local from = reply or problem.result
  for _, sendout in ipairs(from and from.sendouts or {}) do
    result.sendouts[#result.sendouts + 1] = sendout
  end
  result.chunks[#result.chunks + 1] = {
    first = chunk.first, last = chunk.last, outcome = problem and problem.outcome or "accepted", error = problem,
  }
end

--- Whether the chunks after this one may still go: what the API said about some
--- entries says nothing about the others.
local function goes_on(problem)
  return problem.result ~= nil
end

local function is_in_doubt(result)
  for _, chunk in ipairs(result.chunks) do
    if chunk.outcome == "unknown" then
      return true
    end
  end
  return result.accepted > 0
end

--- The error of the whole: that of the first chunk that failed, as the whole is.
local function whole_error(result, problem)
  if problem.outcome ~= "unknown" and is_in_doubt(result) then
    problem.outcome, problem.retryable = "unknown", false
    problem.hint = "part of the entries was accepted, or may have been: `result.chunks` says which may be sent again"
  end
  problem.result = result
  return problem
end

--- Sends all entries, in as many requests as they need, one after the other.
---@param message table entries
---@param options {chunk_size: integer?}?
---@param send fun(message: table): connectly.Campaigns?, connectly.Info|connectly.Error
---@param check fun(message: table): any, connectly.Error? finds faults, sends nothing
---@return connectly.Campaigns?
---@return connectly.Info|connectly.Error
function campaigns.send(message, options, send, check)
  local size = check_chunk_size(options)
  if (campaigns.count(message) or 0) == 0 then
    return send(message) -- which says what is wrong with it, or takes what only it can read
  end
  local chunks = split(message, size)
  local problem = check_all(chunks, message.entries, check)
  if problem then
    return nil, problem
  end
  local result, info, failure = { accepted = 0, rejected = 0, sendouts = {}, chunks = {} }, nil, nil
  for _, chunk in ipairs(chunks) do
    local reply, second = send(chunk.message)
    problem = reply == nil and second or nil
    note(result, chunk, reply, problem)
    failure, info = failure or problem, second
    if problem and not goes_on(problem) then
      break
    end
  end
  sum_up(result)
  if failure then
    return nil, whole_error(result, failure)
  end
  return result, info
end

return campaigns
