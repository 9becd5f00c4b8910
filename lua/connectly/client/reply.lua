-- What an operation returns: the id, or the decoded reply.

local errors = require "connectly.errors"
local json = require "connectly.json"
local native = require "connectly.loader"
local parts = require "connectly.client.parts"

-- Operations that give the whole reply, decoded; the others give its id.
local gives_reply = {}
for _, operation in ipairs(native.operations()) do
  gives_reply[operation.name] = operation.reply ~= "id"
end

local campaigns -- connectly.client.campaigns, from when it is needed

local reply = {}

--- Loads what reads the reply of an operation: true, or nil and an error.
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

--- The reply as its operation gives it; nil when it cannot be decoded, as for lack of memory.
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

--- An error as its operation gives it: with what became of the entries of campaigns.
local function complete_error(operation, problem, text)
  errors.complete(problem)
  problem.result = text and read(operation, text)
  return problem
end

--- value, info; or nil, error: of what native:result gave.
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
