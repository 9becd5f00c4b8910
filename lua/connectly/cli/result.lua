--- How a command ends: what it prints, and the exit status.

local json = require "connectly.json"

local SECRET_MIN = 8 -- bytes; what is shorter stands in many a text that is not the key
local DONE, REFUSED, LATER, UNKNOWN = 0, 1, 2, 3

local result = {}

local statuses = [[
Exit status:
   0  it is done
   1  it was refused, or never left, and would fare no better again: correct it
   2  it was not accepted, and may succeed later: run it again
   3  it may have arrived: %s]]

--- For --help.
---@param is_idempotent boolean whether it does no harm to do it twice
---@return string
function result.statuses(is_idempotent)
  return statuses:format(is_idempotent and "to run it again does no harm" or "look before you run it again")
end

-- Of an error; its result is told apart.
local error_fields = {
  "kind", "outcome", "message", "hint", "param", "problems", "status", "code", "type", "user_title", "user_message",
  "trace_id", "details", "body", "retryable", "retry_after", "attempts",
}

local function plain_error(err)
  local copy = {}
  for _, name in ipairs(error_fields) do
    copy[name] = err[name]
  end
  return copy
end

--- The sendouts of a campaign; those of a chunk that failed are among them.
local function plain_campaigns(campaigns)
  local chunks = {}
  for index, chunk in ipairs(campaigns.chunks or {}) do
    chunks[index] = {
      first = chunk.first, last = chunk.last, outcome = chunk.outcome, error = chunk.error and plain_error(chunk.error),
    }
  end
  return {
    accepted = campaigns.accepted, rejected = campaigns.rejected,
    -- Without an empty list, which lua-cjson writes as an object.
    sendouts = #campaigns.sendouts > 0 and campaigns.sendouts or nil, chunks = #chunks > 0 and chunks or nil,
  }
end

local codec -- loaded before the first request: --help goes without lua-cjson

local function new_codec()
  local made = require("cjson").new()
  made.encode_max_depth(2000) -- more than it decodes: a reply's details stand deeper here
  -- Stock lua-cjson takes 14 digits at the most, OpenResty's 16.
  if not pcall(made.encode_number_precision, 16) then
    made.encode_number_precision(14)
  end
  return made
end

--- Loads what tells of a result: to be called before anything is sent.
function result.load()
  codec = codec or new_codec()
end

local function encode(value)
  result.load()
  local is_encoded, text = pcall(codec.encode, value)
  return is_encoded and text or "null"
end

--- As the API wrote it, where that is known: no list becomes an object, and no
--- number loses a digit.
local function encode_value(operation, value)
  if operation == "send_campaigns" then
    return encode(plain_campaigns(value))
  end
  return json.text_of(value) or encode(value)
end

local function name_of_value(options)
  if options.gives_id then
    return "id"
  end
  return options.operation == "send_campaigns" and "result" or "reply"
end

--- A gateway may echo what it was sent, and what is printed here may be logged.
local function without(secret, text)
  if not secret or #secret < SECRET_MIN then
    return text
  end
  local encoded = encode(secret):sub(2, -2)
  for _, spelling in ipairs { secret, encoded, (encoded:gsub("\\/", "/")) } do
    text = text:gsub(spelling:gsub("%p", "%%%0"), ("*"):rep(#secret))
  end
  return text
end

--- The status stays that of the call: what was sent was sent.
local function put(text, options)
  if not (io.stdout:write(without(options.secret, text), "\n") and io.stdout:flush()) then
    io.stderr:write("connectly: standard output cannot be written\n")
  end
end

local function succeed(value, info, options)
  local text = encode_value(options.operation, value)
  if options.json then
    put(('{"%s":%s,"info":%s}'):format(name_of_value(options), text, encode(info)), options)
  else
    put(options.gives_id and value or text, options)
  end
  return DONE
end

local function status_of(err)
  if err.retryable then
    return LATER
  end
  return err.outcome == "unknown" and UNKNOWN or REFUSED
end

--- One line, a line for each other fault of the message, and what to do.
local function complain(err, command)
  io.stderr:write(("connectly %s: %s\n"):format(command, tostring(err)))
  for index, problem in ipairs(err.problems or {}) do
    if index > 1 then
      io.stderr:write(("  also: %s: %s\n"):format(problem.param, problem.message))
    end
  end
  if err.hint then
    io.stderr:write("  hint: ", err.hint, "\n")
  end
end

local function fail(err, options)
  complain(err, options.command)
  local parts = err.result and encode(plain_campaigns(err.result))
  if options.json then
    put(('{"error":%s%s}'):format(encode(plain_error(err)), parts and ',"result":' .. parts or ""), options)
  elseif parts then
    put(parts, options)
  end
  return status_of(err)
end

--- Tells of a call's end: the exit status.
---@param value any? nil: it failed
---@param second connectly.Info|connectly.Error
---@param options {command: string, operation: string, gives_id: boolean, json: boolean?, secret: string?}
---@return integer
function result.tell(value, second, options)
  if value == nil then
    return fail(second, options)
  end
  return succeed(value, second, options)
end

--- Tells what would go: the body alone on standard output, or all of it as JSON.
---@param requests {method: string, path: string, body: string}[]
---@param options {json: boolean?}
---@return integer
function result.tell_requests(requests, options)
  for _, request in ipairs(requests) do
    if options.json then
      local body = request.body ~= "" and request.body or "null"
      put(('{"method":%s,"path":%s,"body":%s}'):format(encode(request.method), encode(request.path), body), options)
    else
      io.stderr:write(request.method, " ", request.path, "\n")
      if request.body ~= "" then
        put(request.body, options)
      end
    end
  end
  return DONE
end

return result
