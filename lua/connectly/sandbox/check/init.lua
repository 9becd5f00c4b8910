--- Checks the body of a send request; returns nil, or the error that the API documents.
--- The checks are pure: `context` answers questions about earlier requests.

local content = require "connectly.sandbox.check.content"
local magic = require "connectly.sandbox.state.magic"
local parameters = require "connectly.sandbox.check.parameters"
local problem = require "connectly.sandbox.http.problem"
local shape = require "connectly.sandbox.check.shape"

local text, list, object = shape.text, shape.list, shape.object

---@class connectly.sandbox.context
---@field default_sender string  used if the body names no sender
---@field callback_data string?  the raw bytes of callbackData
---@field find_template fun(name: string, language: string): connectly.sandbox.template?
---@field conversation fun(number: string, sender: string): "open"|"over"|"none"
---@field opted_out fun(number: string): boolean

local most_callback_bytes = 1024

local template_shape = object({
  { "number", text(), "required" },
  { "templateName", text(), "required" },
  { "language", text(), "required" },
  { "parameters", list(object({
    { "name", text(), "required" },
    { "value", text(), "required" },
    { "filename", text() },
  })) },
  { "sender", text() },
  { "campaignName", text() },
})

local person_shape = object({
  { "id", text() },
  { "channelType", text(), "required" },
  { "name", text() },
  { "userId", text() },
})

local session_shape = object({
  { "recipient", person_shape, "required" },
  { "sender", person_shape },
  { "message", object({ { "text", text() } }), "required" },
  { "campaignName", text() },
})

local function is_phone_number(value)
  return value:find("^%+[1-9]%d+$") ~= nil and #value <= 16
end

local function is_user_id(value)
  local rest = value:match("^%u%u%.(%w+)$")
  return rest ~= nil and #rest <= 128
end

local function check_shape(checker)
  return function(body)
    local complaint = checker(body, "")
    return complaint and problem.with_status(400, complaint)
  end
end

local function check_callback_data(_, context)
  local bytes = context.callback_data and #context.callback_data or 0
  return bytes > most_callback_bytes
    and problem.with_status(400, ("callbackData: %d bytes, %d allowed"):format(bytes, most_callback_bytes))
    or nil
end

local function check_sender(sender)
  if sender and not is_phone_number(sender) then
    return problem.new("ERROR_CODE_INVALID_SENDER_ID", "sender: not a number in E.164 form")
  end
end

--- API: business-scoped user ids. For now, sending to one fails with 400.
local function check_recipient(number, user_id)
  if user_id and is_user_id(user_id) then
    return problem.new("ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID",
      "customers without a phone number cannot be sent to yet")
  elseif not number or not is_phone_number(number) then
    return problem.new("ERROR_CODE_PHONE_NUMBER_BAD_FORMAT", "recipient: not a number in E.164 form")
  end
end

local function check_self(number, sender, context)
  return number == (sender or context.default_sender)
    and problem.new("ERROR_CODE_MESSAGE_SELF_INVALID", "sender and recipient are the same")
    or nil
end

local function is_opted_out(number, context)
  return context.opted_out(number)
    and problem.new("ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT",
      "the customer has opted out of template messages")
    or nil
end

local function check_magic(number, template)
  local entry = magic.find(number, template)
  return entry and entry.refuses
    and problem.new(entry.refuses, "refused because of a magic number or template name")
    or nil
end

local template_rules = {
  check_shape(template_shape),
  check_callback_data,
  function(body)
    return check_magic(body.number, body.templateName)
  end,
  function(body)
    return check_sender(body.sender)
  end,
  function(body)
    return check_recipient(body.number, body.number:match("^bsuid:(.*)$"))
  end,
  function(body, context)
    return check_self(body.number, body.sender, context)
  end,
  function(body, context)
    local template = context.find_template(body.templateName, body.language)
    if not template then
      return problem.new("ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND",
        ("no template %q in language %q"):format(body.templateName, body.language))
    elseif template.status and template.status ~= "APPROVED" then
      return problem.new("ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND",
        ("template %q is not approved"):format(body.templateName))
    end
    return not template.anything and parameters.check(body.parameters or {}, template) or nil
  end,
  function(body, context)
    return is_opted_out(body.number, context)
  end,
}

local function check_channel(person)
  return person and person.channelType ~= "whatsapp"
    and problem.new("ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL",
      "channelType: this business has no other channel than whatsapp")
    or nil
end

local refusals_by_conversation = {
  over = { "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW",
    "more than 24 hours since the customer's last message to this sender" },
  none = { "ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION",
    "the customer has never written" },
}

local function sender_of(body)
  return body.sender and body.sender.id
end

local session_rules = {
  check_shape(session_shape),
  check_callback_data,
  function(body)
    return check_magic(body.recipient.id)
  end,
  function(body)
    return check_channel(body.recipient) or check_channel(body.sender)
  end,
  function(body)
    return body.sender and check_sender(body.sender.id or "")
  end,
  function(body)
    return check_recipient(body.recipient.id, body.recipient.id or body.recipient.userId)
  end,
  function(body, context)
    return check_self(body.recipient.id, sender_of(body), context)
  end,
  function(body)
    return content.check(body.message)
  end,
  function(body, context)
    local sender = sender_of(body) or context.default_sender
    local refusal = refusals_by_conversation[context.conversation(body.recipient.id, sender)]
    return refusal and problem.new(refusal[1], refusal[2])
  end,
}

local entry_rules = {
  function(entry)
    return check_magic(entry.client)
  end,
  function(entry)
    return check_sender(entry.sender)
  end,
  function(entry)
    return check_recipient(entry.client)
  end,
  function(entry, context)
    return check_self(entry.client, entry.sender, context)
  end,
  function(entry, context)
    return is_opted_out(entry.client, context)
  end,
}

local function first_problem(rules, body, context)
  for _, rule in ipairs(rules) do
    local refusal = rule(body, context)
    if refusal then
      return refusal
    end
  end
end

local check = {}

--- API: template message.
---@param body table  decoded
---@param context connectly.sandbox.context
---@return connectly.sandbox.problem?
function check.template(body, context)
  return first_problem(template_rules, body, context)
end

--- API: session message.
---@param body table  decoded
---@param context connectly.sandbox.context
---@return connectly.sandbox.problem?
function check.session(body, context)
  return first_problem(session_rules, body, context)
end

--- One entry of a batch. API: campaigns.
---@param entry table  decoded, of the right shape
---@param context connectly.sandbox.context
---@return connectly.sandbox.problem?
function check.entry(entry, context)
  return first_problem(entry_rules, entry, context)
end

return check
