-- What an operation returns: the id or the decoded reply.

local errors = require "connectly.errors"
local json = require "connectly.json"
local native = require "connectly.loader"
local parts = require "connectly.client.parts"

-- Operations that return the whole decoded reply; the others return its id.
local gives_reply = {}
for _, operation in ipairs(native.operations()) do
  gives_reply[operation.name] = operation.reply ~= "id"
end

local campaigns -- connectly.client.campaigns, once loaded

local reply = {}

--- Loads the modules that read an operation's reply. Returns true; or nil and an error.
function reply.load_reader(operation)
  if gives_reply[operation] then
    local is_loaded, reason = pcall(json.load)
    if not is_loaded then
      return nil, parts.not_loaded("lua-cjson", reason)
    end
  end
  if operation == "send_campaigns" and not campaigns then
    local part, problem = parts.load "connectly.client.campaigns"
    campaigns = part
    return part and true, problem
  end
  return true
end

--- Returns the reply in the operation's form; nil when it cannot be decoded (out of memory, for example).
local function read(operation, text)
  local decoded = text == "" and {} or json.decode(text)
  if operation == "send_campaigns" and decoded ~= nil then
    return campaigns.read(decoded)
  end
  return decoded
end

local function not_decoded(info)
  return errors.new {
    kind = "protocol", outcome = "unknown", status = info.status, attempts = info.attempts,
    message = "the reply cannot be decoded",
  }
end

--- Completes an error; an error of send_campaigns gets the result of each sendout.
local function complete_error(operation, problem, text)
  errors.complete(problem)
  problem.result = text and read(operation, text)
  return problem
end

--- Turns the values of native:result into value, info; or nil, error.
function reply.finish(operation, value, second, _, text)
  if value == nil then
    return nil, complete_error(operation, second, text)
  elseif not gives_reply[operation] then
    return value, second
  end
  value = read(operation, value)
  if value == nil then
    return nil, not_decoded(second)
  end
  return value, second
end

return reply
