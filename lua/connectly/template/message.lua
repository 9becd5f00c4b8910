-- Reads a template message in any of its forms. The C core encodes it first, so that a check sees
-- exactly what a send would send.

local errors = require "connectly.errors"
local fields = require "connectly.template.fields"
local json = require "connectly.json"
local native = require "connectly.loader"

---@class connectly.template.Message
---@field number string
---@field template_name string
---@field language string
---@field header table<string, connectly.template.Value> key: kind
---@field body table<integer, connectly.template.Value>
---@field buttons table<integer, connectly.template.Value>
---@field cards table<integer, {header: table, body: table, buttons: table}> counted from 1
---@field has_other boolean it has parameters that the API's pages do not name
---@field values connectly.template.Value[] all values of the message
---@field name_path string path of the template's name
---@field path fun(wire: string, short: string): string path of a parameter as the user wrote it, or would write it

---@class connectly.template.Value
---@field value string
---@field path string
---@field filename string?
---@field is_whole boolean? of a button: the value is the whole address, not a suffix

-- Options of a client that only encodes: it opens no connection, and these values are never sent.
local STAND_IN = { api_key = "none", business_id = "none", base_url = "http://127.0.0.1:1" }

local encoder

local function encode(message)
  encoder = encoder or assert(native.new(STAND_IN, json.encode, false, false))
  return encoder:encode("send_template", message)
end

---- paths in the user's message

local SHORT = { "header", "body", "buttons", "cards" }

local function is_given(value)
  return value ~= nil and value ~= native.null
end

local function has_short_form(message)
  for _, field in ipairs(SHORT) do
    if is_given(message[field]) then
      return true
    end
  end
  return false
end

--- Returns the index of a parameter in a list in the API's own form.
local function find_item(parameters, wire)
  local index, item = 1, parameters[1]
  while type(item) == "table" do
    if item.name == wire then
      return index
    end
    index = index + 1
    item = parameters[index]
  end
  return nil
end

--- Returns a function that returns the path of a parameter as the user wrote it.
local function make_path(message)
  local parameters = message.parameters
  if type(parameters) ~= "table" then
    return function(_, short) return short end
  end
  local is_mixed = has_short_form(message)
  return function(wire, short)
    local index = find_item(parameters, wire)
    if index then
      return ("parameters[%d]"):format(index)
    end
    return (is_given(parameters[wire]) or not is_mixed) and "parameters." .. wire or short
  end
end

---- wire names to places in connectly.template.Message

local HEADERS = {}
for _, kind in ipairs(fields.header_kinds) do
  HEADERS["header_" .. kind] = kind
end

-- A number in a wire name: no leading zeros (index_of checks this), up to three digits.
local NUMBER = "(%d%d?%d?)"

local function index_of(digits)
  return (digits == "0" or digits:sub(1, 1) ~= "0") and tonumber(digits) or nil
end

local function in_list(part, is_whole)
  return function(read, digits)
    return read[part], index_of(digits), ("%s[%s]"):format(part, digits), is_whole
  end
end

local function card_at(read, index)
  read.cards[index] = read.cards[index] or { header = {}, body = {}, buttons = {} }
  return read.cards[index]
end

--- Wire names count cards and their parameters from 0.
local function in_card(part)
  return function(read, digits, inner)
    local card, index = index_of(digits), index_of(inner)
    if not card or not index then
      return nil
    end
    return card_at(read, card + 1)[part], index + 1, ("cards[%d].%s[%d]"):format(card + 1, part, index + 1)
  end
end

local function in_card_header(read, digits)
  local card = index_of(digits)
  if not card then
    return nil
  end
  return card_at(read, card + 1).header, "image", ("cards[%d].header.image"):format(card + 1)
end

--- Each entry: a pattern, and a function that returns the table for the value, its key, and the
--- path in our own form.
local PLACES = {
  { "^body_" .. NUMBER .. "$", in_list("body") },
  { "^button_" .. NUMBER .. "_url_suffix$", in_list("buttons") },
  { "^button_" .. NUMBER .. "_url$", in_list("buttons", true) },
  { "^card%." .. NUMBER .. "%.header%.image$", in_card_header },
  { "^card%." .. NUMBER .. "%.body%." .. NUMBER .. "$", in_card("body") },
  { "^card%." .. NUMBER .. "%.button%." .. NUMBER .. "%.urlSuffix$", in_card("buttons") },
}

local function place_of(read, name)
  if HEADERS[name] then
    return read.header, HEADERS[name], "header." .. HEADERS[name]
  end
  for _, place in ipairs(PLACES) do
    local first, second = name:match(place[1])
    if first then
      return place[2](read, first, second)
    end
  end
  return nil
end

--- An unknown name is chosen by the user; it is shown only when it looks like a name.
local function path_of_other(read, name)
  return name:find("^%a[%w_.]*$") and read.path(name, "parameters." .. name) or "parameters"
end

local function add_parameter(read, parameter)
  local into, key, short, is_whole = place_of(read, parameter.name)
  local value = {
    value = parameter.value, filename = parameter.filename, is_whole = is_whole,
    path = key and read.path(parameter.name, short) or path_of_other(read, parameter.name),
  }
  read.values[#read.values + 1] = value
  if key then
    into[key] = value
  else
    read.has_other = true
  end
end

local function spelling(message, ours, wire)
  return is_given(message[ours]) and ours or wire
end

local function read_wire(wire, message)
  local read = {
    number = wire.number, template_name = wire.templateName, language = wire.language,
    header = {}, body = {}, buttons = {}, cards = {}, values = {}, has_other = false,
    path = make_path(message), name_path = spelling(message, "template_name", "templateName"),
  }
  for _, parameter in ipairs(wire.parameters or {}) do
    add_parameter(read, parameter)
  end
  return read
end

local messages = {}

--- Reads a message. Returns nil and the problems when a send would refuse it.
---@param message any
---@return connectly.template.Message? read
---@return {param: string, message: string}[]? problems
function messages.read(message)
  local body, problem = encode(message)
  if not body then
    problem = errors.complete(problem)
    return nil, problem.problems or { { param = problem.param or "message", message = problem.message } }
  end
  local wire = json.decode(body)
  if type(wire) ~= "table" then
    return nil, { { param = "message", message = "cannot be read again as JSON" } }
  end
  return read_wire(wire, message)
end

return messages
