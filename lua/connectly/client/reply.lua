-- What an operation returns: the id or the decoded reply.

local errors = require "connectly.errors"
local json = require "connectly.json"
local native = require "connectly.loader"
local parts = require "connectly.client.parts"

-- What each operation returns: "id"; "body", the decoded reply; or "campaigns", its sendouts.
local rule_of = {}
for _, operation in ipairs(native.operations()) do
  rule_of[operation.name] = operation.reply
end

local campaigns -- connectly.client.campaigns, once loaded

local reply = {}

--- Whether only the whole reply tells which entries were refused.
function reply.must_be_read(operation)
  return rule_of[operation] == "campaigns"
end

--- Loads the modules that read an operation's reply. Returns true; or nil and an error.
function reply.load_reader(operation)
  if rule_of[operation] and rule_of[operation] ~= "id" then
    local is_loaded, reason = pcall(json.load)
    if not is_loaded then
      return nil, parts.not_loaded("lua-cjson", reason)
    end
  end
  if rule_of[operation] == "campaigns" and not campaigns then
    local part, problem = parts.load "connectly.client.campaigns"
    campaigns = part
    return part and true, problem
  end
  return true
end

--- Returns the reply in the operation's form; nil when it cannot be decoded (out of memory, for example).
local function read(operation, text)
  local decoded = text == "" and {} or json.decode(text)
  if rule_of[operation] == "campaigns" and decoded ~= nil then
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

--- Completes an error; an error of campaigns gets the result of each sendout.
local function complete_error(operation, problem, text)
  errors.complete(problem)
  problem.result = text and read(operation, text)
  return problem
end

--- Turns the values of native:result into value, info; or nil, error.
function reply.finish(operation, value, second, _, text)
  if value == nil then
    return nil, complete_error(operation, second, text)
  elseif rule_of[operation] == "id" then
    return value, second
  end
  value = read(operation, value)
  if value == nil then
    return nil, not_decoded(second)
  end
  return value, second
end

return reply
