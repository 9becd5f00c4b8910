-- The reference page's texts for the words and numbers of the tables.

local native = require "connectly.loader"
local markdown = require "spec.support.reference.markdown"
local types = require "spec.support.reference.field_types"

local wording = {}

local TYPES = {
  text = "text or number", number = "number", boolean = "boolean", url = "address, http:// or https://",
  language = "language code", phone = "E.164", recipient = "E.164 or `bsuid:…`", identity = "E.164 or BSUID",
  party = "E.164, BSUID or {party}", label = "text or {label}", header = "text or {header}", media = "address or {media}",
  traceparent = "text", attachment_type = "text", product = "{product}", object = "{%s}", list = "list",
  json = "any JSON", json_object = "table", texts = "list of texts", variables = "map of names to values",
  language_object = "language code or {language}", category = "text", access = "text",
  datetime = "ISO 8601 date and time with its zone, or Unix seconds",
}

--- The heading of a shape.
function wording.shape(name)
  return "table " .. name
end

local function link(name)
  return ("[table %s](%s)"):format(name, markdown.anchor(wording.shape(name)))
end

--- The values that a field accepts.
function wording.type_of(shape, field)
  if shape == "template" and field.name == "parameters" then
    return "map, or list of " .. link "parameter"
  elseif field.type == "list" then
    return field.shape and "list of " .. link(field.shape) or "list of texts and numbers"
  end
  local nested = types.nested(field)
  if field.type == "phone" and nested then
    return "E.164 or " .. link(nested)
  end
  local text = assert(TYPES[field.type], field.type):gsub("{%%s}", nested and link(nested) or "table")
  return (text:gsub("{(%w+)}", link))
end

local function number(value)
  return ("%.14g"):format(value)
end

--- The bounds of a field's number or length, and its place in the request; "" if it has none.
function wording.bounds(field)
  local list = {}
  if field.type == "number" then
    list[1] = ("%s to %s"):format(number(field.low), number(field.high))
  elseif (field.type == "list" or field.type == "texts") and field.high > 0 then
    local least = field.low > 0 and number(field.low) .. " to " or "at most "
    list[1] = field.low == field.high and "exactly " .. number(field.low) or least .. number(field.high)
  elseif field.high > 0 then
    list[1] = ("at most %s bytes"):format(number(field.high))
  end
  list[#list + 1] = field.may_be_empty and "may be empty" or nil
  list[#list + 1] = field.place ~= "body" and "goes in the " .. field.place or nil
  return table.concat(list, "; ")
end

-- The API's parameter or field for a field of the short form, which has no wire name in fields.def.
local GOES_TO = {
  template = {
    header = "parameters: header_…", body = "parameters: body_1, …", buttons = "parameters: button_1_url_suffix, …",
    cards = "parameters: card.0.…",
  },
  session = {
    number = "recipient.id", text = "message.text", image = "message.attachments", video = "message.attachments",
    audio = "message.attachments", document = "message.attachments", location = "message.location",
    list = "message.listMessage", buttons = "message.replyButtonMessage.buttons", product = "message.singleProductMessage",
    products = "message.multiProductMessage", header = "in the list or the buttons", footer = "in the list, buttons or product",
  },
  template_header = { filename = "filename of header_document" }, -- and each header_… of params.def, see below
  card = { header = "card.0.header.image, …", body = "card.0.body.0, …", buttons = "card.0.button.0.urlSuffix, …" },
  card_header = { image = "card.0.header.image, …" },
  product = { product_retailer_id = "productItem.productRetailerId" },
}

for _, param in ipairs(native.params()) do
  local kind = param.name:match("^header_(%l+)$")
  if kind then
    GOES_TO.template_header[kind] = "parameters: " .. param.name
  end
end

--- The API's name of a field.
function wording.wire(shape, field)
  local own = GOES_TO[shape] and GOES_TO[shape][field.name]
  if own then
    return own
  end
  assert(shape ~= "template_header", field.name .. ": a field without a parameter in params.def")
  return field.type == "traceparent" and "header traceparent" or "`" .. field.wire .. "`"
end

--- An option's text without the default, which has its own column.
function wording.option_text(option)
  return option.default == nil and option.text or (option.text:gsub("[;,]?%s*default %S+$", ""))
end

--- The default and the bounds of an option.
function wording.option_bounds(option)
  if option.type == "flag" then
    return tostring(option.default), ""
  elseif option.low then
    return number(option.default), ("%s to %s"):format(number(option.low), number(option.high))
  end
  return "", ""
end

function wording.param_bounds(param)
  return param.name:find("#", 1, true) and ("%s to %s"):format(number(param.low), number(param.high)) or ""
end

--- When the client retries a call.
function wording.retries(operation)
  if operation.name == "request" then
    return "GET, PUT and DELETE also when the outcome is unknown; other methods only when the request was not sent, or after 429"
  elseif operation.idempotent then
    return "also after 500, 502, 503, 504 and a lost connection, because repeating the call has no further effect"
  end
  return "only when the request was not sent, or after 429; when the outcome is unknown, only with `retry_unknown = true`"
end

--- The rate limits that apply to an operation.
function wording.limit(operation)
  return operation.limit == "assets" and "the client's `rate`, and 100 asset calls in any second" or "the client's `rate`"
end

return wording
