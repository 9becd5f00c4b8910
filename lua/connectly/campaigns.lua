-- Campaign sendouts: what a reply really says, and more entries than go in one
-- request. The API answers 200 also when it refused entries, so a status says
-- nothing. API: campaigns.

local errors = require "connectly.errors"

-- Entries in one request, unless the caller says otherwise. No limit is documented.
local CHUNK_SIZE, CHUNK_SIZE_MAX = 100, 1000

---@class connectly.Campaigns
---@field accepted integer entries that the API took
---@field rejected integer entries that it refused
---@field sendouts {accepted: integer, rejected: integer, error: any, reply: table}[] one a campaign and version
---@field chunks {first: integer, last: integer, outcome: string, error: connectly.Error?}[]? one a request

local campaigns = {}

local function whole(value)
  return type(value) == "number" and value >= 0 and value % 1 == 0 and value or nil
end

--- nil when it does not say how many were taken.
local function read_sendout(item)
  if type(item) ~= "table" or not whole(item.acceptedCount) then
    return nil
  end
  local problem = item.error
  if type(problem) ~= "string" and type(problem) ~= "table" or problem == "" then
    problem = nil
  end
  return { accepted = item.acceptedCount, rejected = whole(item.rejectedCount) or 0, error = problem, reply = item }
end

local function read_sendouts(reply)
  local sendouts = {}
  for index, item in ipairs(type(reply) == "table" and type(reply.data) == "table" and reply.data or {}) do
    sendouts[index] = read_sendout(item)
    if not sendouts[index] then
      return nil
    end
  end
  return #sendouts > 0 and sendouts or nil
end

local function sum_up(result)
  result.accepted, result.rejected = 0, 0
  local problem
  for _, sendout in ipairs(result.sendouts) do
    result.accepted = result.accepted + sendout.accepted
    result.rejected = result.rejected + sendout.rejected
    problem = problem or sendout.error
  end
  return problem
end

--- A refusal of all may be repeated once it is mended; of what was taken in part,
--- nobody may say that it was not.
local function refusal(result, problem, status)
  return errors.new {
    kind = "rejected", outcome = result.accepted == 0 and "rejected" or "unknown", status = status,
    message = result.rejected > 0 and ("%d entries were rejected, %d accepted"):format(result.rejected, result.accepted)
      or ("a sendout failed; %d entries were accepted"):format(result.accepted),
    hint = "`result.sendouts` has what the API said of each campaign; repeat only what was not accepted",
    user_message = type(problem) == "string" and problem or nil, result = result,
  }
end

--- What a reply with a good status says: a result, or nil and an error.
---@param reply any decoded
---@param info connectly.Info
---@return connectly.Campaigns?
---@return connectly.Info|connectly.Error
function campaigns.judge(reply, info)
  local sendouts = read_sendouts(reply)
  if not sendouts then
    return nil, errors.new {
      kind = "protocol", outcome = "unknown", status = info.status, attempts = info.attempts,
      message = "the reply does not say how many entries were accepted",
      hint = "the campaign may have been started: look for its delivery statuses before sending it again",
    }
  end
  local result = { sendouts = sendouts }
  local problem = sum_up(result)
  if problem or result.rejected > 0 then
    return nil, refusal(result, problem, info.status)
  end
  return result, info
end

--- Fewer than were given: nobody knows what became of the rest.
local function check_count(result, count)
  if result.accepted >= count then
    return nil
  end
  return errors.new {
    kind = "protocol", outcome = "unknown", result = result,
    message = ("%d of %d entries are not accounted for in the reply"):format(count - result.accepted, count),
    hint = "look for delivery statuses before sending them again",
  }
end

local function check_chunk_size(options)
  local size = options and options.chunk_size or CHUNK_SIZE
  if not whole(size) or size < 1 or size > CHUNK_SIZE_MAX then
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

local function key_of(entry)
  if type(entry) ~= "table" then
    return nil
  end
  local number = entry.number or entry.client
  local who = type(number) == "table" and number.id or number
  local name, version = entry.campaign_name or entry.campaignName, entry.campaign_version or entry.campaignVersion
  return ("%s\0%s\0%s"):format(tostring(who), tostring(name), tostring(version))
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

--- The error of the whole: that of the first chunk that failed, as the whole is.
local function whole_error(result, problem)
  if result.accepted > 0 and problem.outcome ~= "unknown" then
    problem.outcome, problem.retryable = "unknown", false
    problem.hint = "part of the entries was accepted: `result.chunks` says which may be sent again"
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
  if type(message) ~= "table" or type(message.entries) ~= "table" or #message.entries == 0 then
    return send(message) -- which says what is wrong with it
  end
  local chunks = split(message, size)
  local problem = check_all(chunks, message.entries, check)
  if problem then
    return nil, problem
  end
  local result, info, failure = { accepted = 0, rejected = 0, sendouts = {}, chunks = {} }, nil, nil
  for _, chunk in ipairs(chunks) do
    local reply, second = send(chunk.message)
    problem = reply == nil and second or check_count(reply, chunk.last - chunk.first + 1)
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
