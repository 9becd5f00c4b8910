---The one error object of the library, on every Lua: raised by `connectly`,
---returned by `connectly.safe`. `outcome` answers the question that matters:
---may the message have arrived?
---@class connectly.Error
---@field kind string one of errors.kinds
---@field outcome "not_sent"|"rejected"|"unknown" never accepted; refused by the API; or it may have arrived
---@field message string one line for a developer
---@field hint string? what to do about it
---@field param string? for `argument` and `config`: path of the first bad field
---@field problems {param: string, message: string}[]? all bad fields
---@field status integer? HTTP status of the last reply
---@field code string? the API's ERROR_CODE_...; an open set
---@field type string? the API's ERROR_TYPE_...; an open set
---@field user_title string? the API's text for people
---@field user_message string?
---@field trace_id string? for Connectly's support; digits, always a string
---@field details any the reply's `details`, decoded
---@field body string? the start of a reply that could not be read
---@field result connectly.Campaigns? of send_campaigns: what became of each sendout and each chunk
---@field retryable boolean the same call may succeed later and cannot arrive twice
---@field retry_after number? seconds the server asked for
---@field attempts integer requests tried
---@field cause any of send_campaigns: what was raised, by a limiter for instance, and ended it midway
---@field delivery connectly.DeliveryStatus? of a timeout of wait_delivery: what is known so far

local native = require "connectly.loader"
local json = require "connectly.json"

---@class connectly.errors
local errors = {}

local metatable = native.error_metatable()
metatable.__name = "connectly.error"

--- message (code, status, trace id): never a key, a number or a text.
function metatable.__tostring(err)
  local notes = {}
  notes[#notes + 1] = err.code
  notes[#notes + 1] = err.status and "status " .. err.status
  notes[#notes + 1] = err.trace_id and "trace " .. err.trace_id
  notes[#notes + 1] = "outcome " .. tostring(err.outcome)
  -- One line, whatever the server put into its codes.
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

---The documented codes: errors.codes.ERROR_CODE_MESSAGE_TEXT_EMPTY.hint.
---API: error codes. The set is open: an error may have a code that is not here.
---@type table<string, {code: string, meaning: string, hint: string}>
errors.codes = {}
for _, entry in ipairs(taxonomy.codes) do
  errors.codes[entry.code] = entry
end

---Whether a value is an error of this library.
---@param value any
---@return boolean
function errors.is_error(value)
  return type(value) == "table" and getmetatable(value) == metatable
end

---Completes an error that came from C: `details` is JSON text there.
---@param err connectly.Error
---@return connectly.Error
function errors.complete(err)
  if err.details then
    -- Without lua-cjson they stay JSON: the error matters more than its details.
    local is_decoded, details = pcall(json.decode, err.details)
    if is_decoded then
      err.details = details
    end
  end
  return err
end

---An error that does not come from C.
---@param fields table kind, outcome, message and what else there is
---@return connectly.Error
function errors.new(fields)
  fields.retryable = false
  fields.attempts = fields.attempts or 0
  return setmetatable(fields, metatable)
end

---An error like another, whose fields may be changed.
---@param err connectly.Error
---@return connectly.Error
function errors.copy(err)
  local made = {}
  for name, value in next, err do
    made[name] = value
  end
  return setmetatable(made, metatable)
end

---An error about an option that the C side does not look at.
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
