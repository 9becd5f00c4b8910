---The library's only error object, the same on every Lua: `connectly` raises it,
---`connectly.safe` returns it. `outcome` tells whether the message may have arrived.
---@class connectly.Error
---@field kind string one of errors.kinds
---@field outcome "not_sent"|"rejected"|"unknown" not accepted by the API; refused by the API; may have arrived
---@field message string one line for a developer
---@field hint string? how to fix it
---@field param string? for kinds `argument` and `config`: path of the first bad field
---@field problems {param: string, message: string}[]? all bad fields
---@field status integer? HTTP status of the last reply
---@field code string? the API's ERROR_CODE_...; an open set
---@field type string? the API's ERROR_TYPE_...; an open set
---@field user_title string? title that the API provides for end users
---@field user_message string? text that the API provides for end users
---@field trace_id string? for Connectly's support; digits, always a string
---@field details any the reply's `details`, decoded
---@field body string? the start of a reply that could not be parsed
---@field result connectly.Campaigns? of send_campaigns: the result of each sendout and each chunk
---@field retryable boolean repeating the call may succeed later and cannot deliver the message twice
---@field retry_after number? seconds that the server asked the client to wait
---@field attempts integer number of attempts
---@field cause any of send_campaigns: the error (a limiter's, for example) that ended it midway
---@field delivery connectly.DeliveryStatus? of a timeout of wait_delivery: the status known so far

local native = require "connectly.loader"
local json = require "connectly.json"

---@class connectly.errors
local errors = {}

local metatable = native.error_metatable()
metatable.__name = "connectly.error"

--- message (code, status, trace id, outcome): never an API key, a phone number or a message text.
function metatable.__tostring(err)
  local notes = {}
  notes[#notes + 1] = err.code
  notes[#notes + 1] = err.status and "status " .. err.status
  notes[#notes + 1] = err.trace_id and "trace " .. err.trace_id
  notes[#notes + 1] = "outcome " .. tostring(err.outcome)
  -- Keep it on one line even when the server's codes hold control characters.
  return (("%s (%s)"):format(err.message, table.concat(notes, ", ")):gsub("%c", "?"))
end

local taxonomy = native.taxonomy()

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do
    set[name:upper()] = name
  end
  return set
end

---Constants: errors.kinds.RATE_LIMITED == "rate_limited".
---@type table<string, string>
errors.kinds = set_of(taxonomy.kinds)

---Constants: errors.outcomes.UNKNOWN == "unknown".
---@type table<string, string>
errors.outcomes = set_of(taxonomy.outcomes)

---The documented error codes: errors.codes.ERROR_CODE_MESSAGE_TEXT_EMPTY.hint.
---API: error codes. The set is open: an error may have a code that is not in this table.
---@type table<string, {code: string, meaning: string, hint: string}>
errors.codes = {}
for _, entry in ipairs(taxonomy.codes) do
  errors.codes[entry.code] = entry
end

---Tells whether a value is an error of this library.
---@param value any
---@return boolean
function errors.is_error(value)
  return type(value) == "table" and getmetatable(value) == metatable
end

--- Completes an error made by the C module, whose `details` are still JSON text.
---@param err connectly.Error
---@return connectly.Error
function errors.complete(err)
  if err.details then
    -- Without lua-cjson the details stay JSON text: the error matters more than its details.
    local is_decoded, details = pcall(json.decode, err.details)
    if is_decoded then
      err.details = details
    end
  end
  return err
end

--- Makes an error in Lua.
---@param fields table kind, outcome, message and any other fields
---@return connectly.Error
function errors.new(fields)
  fields.retryable = false
  fields.attempts = fields.attempts or 0
  return setmetatable(fields, metatable)
end

--- Copies an error, so that the caller may change its fields.
---@param err connectly.Error
---@return connectly.Error
function errors.copy(err)
  local made = {}
  for name, value in next, err do
    made[name] = value
  end
  return setmetatable(made, metatable)
end

--- Makes an error of kind `config` for an option that the C core does not check.
---@param param string
---@param problem string
---@return connectly.Error
function errors.config(param, problem)
  return errors.new {
    kind = "config", outcome = "not_sent", message = param .. ": " .. problem, param = param,
    problems = { { param = param, message = problem } },
  }
end

return errors
