-- Campaign sendouts: turns a reply into a table, and sends chunks one after the other.
-- API: campaigns.

local errors = require "connectly.errors"
local native = require "connectly.loader"

---@class connectly.Campaigns
---@field accepted integer entries that the API accepted
---@field rejected integer entries that it refused
---@field sendouts {accepted: integer, rejected: integer, error: any, reply: table}[] one per campaign and version
---@field chunks connectly.Chunk[]? one per request; absent from results of start and send_many

---@class connectly.Chunk
---@field first integer index of its first entry
---@field last integer index of its last entry
---@field outcome "accepted"|"not_sent"|"rejected"|"unknown"
---@field error connectly.Error? also nil when an earlier chunk's failure kept this one from being sent

local campaigns = {}

local function is_null(value)
  return value == nil or value == native.null
end

--- Returns a sendout's error, or nil for the values that mean none.
local function read_problem(value)
  if is_null(value) or value == false or value == "" then
    return nil
  end
  return value
end

--- Reads a count, which the API may write as a string of digits and may omit when it is 0.
local function read_count(value)
  return is_null(value) and 0 or math.floor(tonumber(value)) -- an integer on a Lua that has them
end

local function sum_up(result)
  result.accepted, result.rejected = 0, 0
  for _, sendout in ipairs(result.sendouts) do
    result.accepted = result.accepted + sendout.accepted
    result.rejected = result.rejected + sendout.rejected
  end
  return result
end

--- Reads the sendouts of a reply. The core has read the reply before and decided whether the
--- call succeeded (core/sendouts); this function decides nothing.
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

--- Tells whether the remaining chunks may still be sent: when the API refused some entries,
--- it may accept others.
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

--- Makes the error of the whole call: a copy of the first failed chunk's error, with the
--- outcome of all chunks together.
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

--- Makes the error for an error raised while sending (by a limiter or a hook, for example)
--- after other chunks were sent, whose results must still be reported.
local function left(cause)
  return errors.new {
    kind = "canceled", outcome = "unknown", message = "sending was left by an error: " .. describe(cause), cause = cause,
  }
end

--- Returns value, info; or nil, error. An error raised while sending the first chunk
--- propagates unchanged: there are no earlier results to report.
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

--- Sends prepared chunks, one request after the other.
---@param chunks table[] of campaign_chunks.prepare
---@param send fun(body: string, batch: any): connectly.Campaigns?, connectly.Info|connectly.Error
---@param raise fun(problem: connectly.Error) raises the error of a call that another error, its `cause`, ended midway
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
