-- Campaign sendouts: a reply as a table, and more entries than go in one request.
-- All are encoded before the first goes: what was checked is what goes, whatever
-- becomes of the tables meanwhile. API: campaigns.

local errors = require "connectly.errors"
local json = require "connectly.json"
local native = require "connectly.loader"

-- Entries in one request, unless the caller says otherwise. No limit is documented.
local CHUNK_SIZE, CHUNK_SIZE_MAX = 100, 1000

---@class connectly.Campaigns
---@field accepted integer entries that the API took
---@field rejected integer entries that it refused
---@field sendouts {accepted: integer, rejected: integer, error: any, reply: table}[] one a campaign and version
---@field chunks connectly.Chunk[]? one a request; not of start and send_many

---@class connectly.Chunk
---@field first integer the first of its entries
---@field last integer the last
---@field outcome "accepted"|"not_sent"|"rejected"|"unknown"
---@field error connectly.Error? nil also when it was not sent because of one before

-- More than anybody sends at once; beyond it the core says what is wrong.
local ENTRIES_MAX = 1000000
local PROBLEMS_MAX = 100 -- in one error

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
  return is_null(value) and 0 or math.floor(tonumber(value)) -- an integer, where there are some
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

--- Whether a table is what it holds: a metatable may mark it, but not compute. What
--- getmetatable gives of a protected one may be anything; such a one cannot be set.
local function is_plain(given)
  local metatable = getmetatable(given)
  if metatable == nil then
    return true
  end
  local is_seen = type(metatable) == "table" and pcall(setmetatable, given, metatable)
  return is_seen and not (rawget(metatable, "__index") or rawget(metatable, "__len") or rawget(metatable, "__pairs"))
end

--- How many items a list has that can be split; nil when it is none.
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
  return math.floor(size) -- an integer, where there are some
end

--- The message with some of its entries.
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

--- { first, message } of each request. What a metatable has a say in goes in one, as the
--- core reads it; the core also says what is wrong with what is no list.
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

local function refusal(index, twin)
  local param, text = ("entries[%d]"):format(index), ("the same number and campaign as entries[%d]"):format(twin)
  return errors.new {
    kind = "argument", outcome = "not_sent", message = param .. ": " .. text, param = param,
    problems = { { param = param, message = text } },
  }
end

--- Who is sent what by an entry, as it goes.
local function key_of(entry)
  local name = entry.campaignName
  return ("%s %d %s %s"):format(entry.client, #name, name, entry.campaignVersion or "")
end

--- The entries of a body, as they go; raises a connectly.Error when it cannot be read.
local function entries_of(chunk)
  local decoded = json.decode(chunk.body)
  if decoded == nil then
    local param = ("entries[%d]"):format(chunk.first)
    error(errors.new {
      kind = "argument", outcome = "not_sent", param = param,
      message = param .. ": it, or one after it, is nested too deeply to look for who stands twice",
    }, 0)
  end
  return decoded.entries
end

--- Within one request the core looks; across requests nobody else does.
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

--- All faults of all chunks are those of the first one's error; what is not about an
--- entry is a fault of each chunk, and told once.
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

--- What goes, in as many requests as it needs, all of it checked.
---@param message table entries
---@param options {chunk_size: integer?}?
---@param encode fun(message: table): string?, any the body, and what `send` wants to know of it; or nil, error
---@return {first: integer, body: string, batch: any}[]? chunks
---@return connectly.Error?
function campaigns.prepare(message, options, encode)
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

local function note(result, chunk, outcome, problem)
  result.chunks[#result.chunks + 1] = {
    first = chunk.first, last = chunk.first + chunk.batch.entries - 1, outcome = outcome, error = problem,
  }
end

local function note_sendouts(result, from)
  for _, sendout in ipairs(from and from.sendouts or {}) do
    result.sendouts[#result.sendouts + 1] = sendout
  end
end

--- Whether the chunks after this one may still go: what the API said about some
--- entries says nothing about the others.
local function goes_on(problem)
  return problem == nil or problem.result ~= nil
end

local function is_in_doubt(result)
  for _, chunk in ipairs(result.chunks) do
    if chunk.outcome == "unknown" then
      return true
    end
  end
  return result.accepted > 0
end

--- The error of the whole: a copy of the first chunk's that failed, with what is true
--- of all of them.
local function whole_error(result, problem)
  local whole = errors.copy(problem)
  whole.result = result
  if whole.outcome ~= "unknown" and is_in_doubt(result) then
    whole.outcome, whole.retryable = "unknown", false
    whole.hint = "part of the entries was accepted, or may have been: `result.chunks` says which may be sent again"
  end
  return whole
end

local function describe(problem)
  local is_described, text = pcall(tostring, problem)
  return is_described and text:match("^[^\n]*") or type(problem)
end

--- One that was left by an error, of a limiter or a hook for instance, while others have
--- gone: they must be told of.
local function left(cause)
  return errors.new {
    kind = "canceled", outcome = "unknown", message = "sending was left by an error: " .. describe(cause), cause = cause,
  }
end

--- value, info; or nil, error. What the first is left by is raised as it is: of the others
--- there is nothing to tell.
local function send_guarded(send, chunk, is_first)
  if is_first then
    return send(chunk.body, chunk.batch)
  end
  local is_whole, reply, second = pcall(send, chunk.body, chunk.batch)
  if is_whole then
    return reply, second
  end
  return nil, left(reply)
end

--- Sends what was prepared, one request after the other.
---@param chunks table[] of prepare
---@param send fun(body: string, batch: any): connectly.Campaigns?, connectly.Info|connectly.Error
---@param raise fun(problem: connectly.Error) of one that was left by an error: its `cause`
---@return connectly.Campaigns?
---@return connectly.Info|connectly.Error
function campaigns.send(chunks, send, raise)
  local result, info, failure, is_over, cause = { sendouts = {}, chunks = {} }, nil, nil, false, nil
  for index, chunk in ipairs(chunks) do
    if is_over then
      note(result, chunk, "not_sent")
    else
      local reply, second = send_guarded(send, chunk, index == 1)
      local problem = reply == nil and second or nil
      cause = problem and problem.cause
      note_sendouts(result, reply or problem.result)
      note(result, chunk, problem and problem.outcome or "accepted", problem)
      failure, info, is_over, chunk.body = failure or problem, second, not goes_on(problem), nil
    end
  end
  sum_up(result)
  if not failure then
    return result, info
  end
  local problem = whole_error(result, failure)
  if cause ~= nil then
    problem.cause = cause
    raise(problem)
  end
  return nil, problem
end

return campaigns
