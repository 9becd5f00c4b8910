--- The API's error objects. API: errors.

local json = require "connectly.sandbox.http.json"

local problem = {}

local unspecified = "ERROR_CODE_UNSPECIFIED"

--- User-facing title and advice, by code.
local for_people = {
  ERROR_CODE_INVALID_SENDER_ID = {
    "Invalid sender", "Use a number of your business, such as +14155550100, as sender.",
  },
  ERROR_CODE_PHONE_NUMBER_BAD_FORMAT = {
    "Badly formatted number", "Write the recipient as + and 2 to 15 digits.",
  },
  ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID = {
    "Invalid number", "Use a recipient who has a phone number.",
  },
  ERROR_CODE_MESSAGE_SELF_INVALID = {
    "Message to yourself", "Choose a recipient other than the sender.",
  },
  ERROR_CODE_MESSAGE_TEXT_EMPTY = { "Empty text", "Write something in the text field." },
  ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID = {
    "Wrong number of attachments", "Send one attachment per message.",
  },
  ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY = {
    "Empty attachment", "Give the address of the attachment.",
  },
  ERROR_CODE_MESSAGE_ATTACHMENT_INVALID = {
    "Invalid attachment", "Give a public address that begins with https://.",
  },
  ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND = {
    "Template not found", "Check the name and the language of the template.",
  },
  ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID = {
    "Invalid template parameters", "Give exactly the parameters that the template has.",
  },
  ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW = {
    "The 24-hour window is over", "Send a template message instead.",
  },
  ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION = {
    "The customer has never written", "Send a template message instead.",
  },
  ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT = {
    "The customer has opted out", "Do not send templates to this customer.",
  },
  ERROR_CODE_MESSAGE_TEMPLATE_DELETED = {
    "The template is being deleted", "Wait four weeks, or make a template of another name.",
  },
  ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL = {
    "No such channel", "Use the channel type whatsapp.",
  },
  ERROR_CODE_BUSINESS_REACHED_LIMITS = {
    "Sending is restricted", "Stop sending and look at the quality signals.",
  },
  ERROR_CODE_BUSINESS_KEY_SECRET_ABSENT = {
    "The business has no API secret", "Ask Connectly to make one.",
  },
}
local for_people_otherwise = { "The request was refused", "Correct the request." }

local types_by_code = {
  ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW = "ERROR_TYPE_DEADLINE_EXCEEDED",
}

local types_by_status = {
  [400] = "ERROR_TYPE_INVALID_REQUEST",
  [401] = "ERROR_TYPE_AUTHENTICATION",
  [404] = "ERROR_TYPE_INVALID_REQUEST",
  [405] = "ERROR_TYPE_INVALID_REQUEST",
  [409] = "ERROR_TYPE_INVALID_REQUEST",
  [413] = "ERROR_TYPE_INVALID_REQUEST",
}

---@class connectly.sandbox.problem
---@field status integer
---@field type string
---@field code string
---@field message string

---@param code string
---@param message string  for developers
---@return connectly.sandbox.problem
function problem.new(code, message)
  return {
    status = 400,
    type = types_by_code[code] or "ERROR_TYPE_INVALID_REQUEST",
    code = code,
    message = message,
  }
end

--- Returns a refusal without a documented code.
---@param status integer
---@param message string
---@return connectly.sandbox.problem
function problem.with_status(status, message)
  return {
    status = status,
    type = types_by_status[status] or "ERROR_TYPE_UNSPECIFIED",
    code = unspecified,
    message = message,
  }
end

--- Twenty digits, like real trace ids: too many for a double or a signed 64-bit integer. This
--- exposes clients that convert them to numbers.
local function trace_id()
  local digits = { "1", tostring(math.random(0, 7)) }
  for position = 3, 20 do
    digits[position] = tostring(math.random(0, 9))
  end
  return table.concat(digits)
end

--- Returns the reply body, which is also the form of `statusUpdate.error` in webhooks.
---@param refusal connectly.sandbox.problem
---@return table
function problem.describe(refusal)
  local people = for_people[refusal.code] or for_people_otherwise
  return {
    message = refusal.message,
    type = refusal.type,
    code = refusal.code,
    userTitle = people[1],
    userMessage = people[2],
    cntTraceId = trace_id(),
    details = {},
  }
end

---@param refusal connectly.sandbox.problem
---@return string
function problem.encode(refusal)
  return json.encode(problem.describe(refusal))
end

--- Returns the error of a message that failed after it was accepted.
---@param code string
---@return table
function problem.of_delivery(code)
  local failed = problem.new(code, code == unspecified and "Internal server error" or "the delivery failed")
  failed.type = code == unspecified and "ERROR_TYPE_UNSPECIFIED" or failed.type
  return problem.describe(failed)
end

return problem
