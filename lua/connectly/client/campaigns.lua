-- Campaign sendouts: a reply as a table, and chunks sent one after the other.
-- API: campaigns.

local errors = require "connectly.errors"
local native = require "connectly.loader"

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
