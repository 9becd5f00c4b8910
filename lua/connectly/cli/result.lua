--- Prints a command's result, and computes its exit status.

local json = require "connectly.json"

local SECRET_MIN = 8 -- bytes; shorter keys could match unrelated text
local DONE, REFUSED, LATER, UNKNOWN = 0, 1, 2, 3

local result = {}

local statuses = [[
Exit status:
   0  done
   1  refused, or not sent for a reason that lasts: correct it
   2  not accepted, but may succeed later: run it again
   3  it may have arrived: %s]]

--- Returns the list of exit statuses, for --help.
---@param is_idempotent boolean whether the call can be repeated safely
---@return string
function result.statuses(is_idempotent)
  return statuses:format(is_idempotent and "to run it again does no harm" or "look before you run it again")
end

-- The printed fields of an error; its `result` is printed separately.
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

--- Returns the result of a campaign call as plain tables, including the chunks that failed.
local function plain_campaigns(campaigns)
  local chunks = {}
  for index, chunk in ipairs(campaigns.chunks or {}) do
    chunks[index] = {
      first = chunk.first, last = chunk.last, outcome = chunk.outcome, error = chunk.error and plain_error(chunk.error),
    }
  end
  return {
    accepted = campaigns.accepted, rejected = campaigns.rejected,
    -- Leave out empty lists: lua-cjson encodes them as objects.
    sendouts = #campaigns.sendouts > 0 and campaigns.sendouts or nil, chunks = #chunks > 0 and chunks or nil,
  }
end

local codec -- loaded before the first request: --help works without lua-cjson

local function new_codec()
  local made = require("cjson").new()
  made.encode_max_depth(2000) -- above the decoder's limit: a reply's details are nested deeper in the output
  -- Stock lua-cjson accepts at most 14 digits, OpenResty's 16.
  if not pcall(made.encode_number_precision, 16) then
    made.encode_number_precision(14)
  end
  return made
end

--- Loads the JSON encoder; call it before sending, so that the result can be printed.
function result.load()
  codec = codec or new_codec()
end

local function encode(value)
  result.load()
  local is_encoded, text = pcall(codec.encode, value)
  return is_encoded and text or "null"
end

--- Encodes a reply. The API's own JSON text is used if available: this keeps empty lists and
--- all digits of numbers.
local function encode_value(rule, value)
  if rule == "campaigns" then
    return encode(plain_campaigns(value))
  end
  return json.text_of(value) or encode(value)
end

local name_of_value = { id = "id", body = "reply", campaigns = "result" }

--- Masks the key in the output: a gateway may echo the request, and the output may be logged.
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

--- Writes to standard output. A failed write does not change the exit status: the call is done.
local function put(text, options)
  if not (io.stdout:write(without(options.secret, text), "\n") and io.stdout:flush()) then
    io.stderr:write("connectly: standard output cannot be written\n")
  end
end

local function succeed(value, info, options)
  local text = encode_value(options.reply, value)
  if options.json then
    put(('{"%s":%s,"info":%s}'):format(name_of_value[options.reply], text, encode(info)), options)
  else
    put(options.reply == "id" and value or text, options)
  end
  return DONE
end

local function status_of(err)
  if err.retryable then
    return LATER
  end
  return err.outcome == "unknown" and UNKNOWN or REFUSED
end

--- Prints the error: its message, one line for each further problem, and the hint.
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

--- Prints the outcome of a call; returns the exit status.
---@param value any? nil: the call failed
---@param second connectly.Info|connectly.Error
---@param options {command: string, reply: string, json: boolean?, secret: string?}
---@return integer
function result.tell(value, second, options)
  if value == nil then
    return fail(second, options)
  end
  return succeed(value, second, options)
end

--- Prints the requests of a dry run: only the body on standard output, or all of it with --json.
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
