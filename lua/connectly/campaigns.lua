-- Campaign sendouts: what a reply really says, and more entries than go in one
-- request. The API answers 200 also when it refused entries, so a status says
-- nothing. API: campaigns.

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
local BODY_SHOWN = 512 -- bytes of a reply that says nothing

local campaigns = {}

local function is_null(value)
  return value == nil or value == native.null
end

--- A count, also in the digits that protobuf writes; nil when it is none.
local function read_count(value)
  if type(value) == "string" and value:find("^%d+$") and #value <= 15 then
    value = tonumber(value)
  end
  return type(value) == "number" and value >= 0 and value % 1 == 0 and value or nil
end

--- What stands for an error, or nil.
local function read_problem(value)
  if is_null(value) or value == false or value == "" then
    return nil
  end
  return value
end

--- nil when it does not say how many were taken. What is 0 may be left out.
local function read_sendout(item)
  if type(item) ~= "table" then
    return nil
  end
  local problem = read_problem(item.error)
  local accepted, rejected = read_count(item.acceptedCount), read_count(item.rejectedCount)
  local is_unreadable = not accepted and not is_null(item.acceptedCount) or not rejected and not is_null(item.rejectedCount)
  if is_unreadable or not accepted and not rejected and not problem then
    return nil
  end
  return { accepted = accepted or 0, rejected = rejected or 0, error = problem, reply = item }
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

--- The first error of a sendout, and whether each has one.
local function sum_up(result)
  result.accepted, result.rejected = 0, 0
  local problem, all_failed = nil, true
  for _, sendout in ipairs(result.sendouts) do
    result.accepted = result.accepted + sendout.accepted
    result.rejected = result.rejected + sendout.rejected
    problem = problem or sendout.error
    all_failed = all_failed and sendout.error ~= nil
  end
  return problem, all_failed
end

local function describe(result, problem, count)
  local rest = count and count - result.accepted - result.rejected or 0
  if result.rejected > 0 then
    local note = rest ~= 0 and "; the reply does not account for all" or ""
    return ("%d entries were rejected, %d accepted%s"):format(result.rejected, result.accepted, note)
  elseif problem ~= nil then
    return ("a sendout failed; %d entries were accepted"):format(result.accepted)
  end
  return ("the reply accounts for %d of %d entries"):format(result.accepted, count)
end

--- `rejected` only where nobody can have been taken: of what was taken in part, or is
--- not accounted for, nobody may say that it was not.
local function refusal(result, info, count, problem, all_failed)
  local is_refused = result.accepted == 0
    and (count == nil or result.rejected == count or result.rejected == 0 and all_failed)
  return errors.new {
    kind = (result.rejected > 0 or problem ~= nil) and "rejected" or "protocol",
    outcome = is_refused and "rejected" or "unknown", status = info.status, attempts = info.attempts,
    message = describe(result, problem, count), result = result,
    hint = "`result.sendouts` has what the API said of each campaign; repeat only what was not accepted",
    user_message = type(problem) == "string" and problem or nil,
  }
end

--- What a reply with a good status says: a result, or nil and an error.
---@param reply any decoded
---@param info connectly.Info
---@param count integer? entries that were sent, where that is known
---@param text string? the reply as it came
---@return connectly.Campaigns?
---@return connectly.Info|connectly.Error
function campaigns.judge(reply, info, count, text)
  local sendouts = read_sendouts(reply)
  if not sendouts then
    return nil, errors.new {
      kind = "protocol", outcome = "unknown", status = info.status, attempts = info.attempts,
      message = "the reply does not say how many entries were accepted", body = text and text:sub(1, BODY_SHOWN),
      hint = "the campaign may have been started: look for its delivery statuses before sending it again",
    }
  end
  local result = { sendouts = sendouts }
  local problem, all_failed = sum_up(result)
  problem = problem or read_problem(reply.error)
  if problem ~= nil or result.rejected > 0 or count and result.accepted ~= count then
    return nil, refusal(result, info, count, problem, all_failed)
  end
  return result, info
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
