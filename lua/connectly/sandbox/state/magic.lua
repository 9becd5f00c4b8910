--- Numbers and template names with a fixed outcome: they trigger every refusal and every
--- fault without a control route.
---
---   +15005550001 … 18   refused with the code at that position in the list below
---   +15005550101 … 118  accepted, then delivery_failed with that code
---   +15005550201 … 214  the faults of connectly.sandbox.state.faults, in order
---
--- Templates named refuse_*, fail_* and fault_* do the same for any recipient:
--- refuse_message_text_empty, fail_business_reached_limits, fault_reply_lost. They exist in
--- every language and accept any parameters. For magic numbers the 24-hour window is always
--- open.

local faults = require "connectly.sandbox.state.faults"

--- API: error codes, in the order of their numbers.
local codes = {
  "ERROR_CODE_INVALID_SENDER_ID",
  "ERROR_CODE_PHONE_NUMBER_BAD_FORMAT",
  "ERROR_CODE_MESSAGE_PHONE_NUMBER_INVALID",
  "ERROR_CODE_MESSAGE_SELF_INVALID",
  "ERROR_CODE_MESSAGE_TEXT_EMPTY",
  "ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID",
  "ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY",
  "ERROR_CODE_MESSAGE_ATTACHMENT_INVALID",
  "ERROR_CODE_MESSAGE_TEMPLATE_NOT_FOUND",
  "ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID",
  "ERROR_CODE_MESSAGE_TEMPLATE_DELETED",
  "ERROR_CODE_MESSAGE_OUTSIDE_OF_ELIGIBILITY_WINDOW",
  "ERROR_CODE_MESSAGE_CUSTOMER_NO_CONVERSATION_INITIATION",
  "ERROR_CODE_MESSAGE_CUSTOMER_OPTED_OUT",
  "ERROR_CODE_BUSINESS_MISSES_MATCHING_CHANNEL",
  "ERROR_CODE_BUSINESS_REACHED_LIMITS",
  "ERROR_CODE_BUSINESS_KEY_SECRET_ABSENT",
  "ERROR_CODE_UNSPECIFIED",
}

---@class connectly.sandbox.magic.entry
---@field number string
---@field template string
---@field does string  one-line description
---@field refuses string|nil  the code of the refusal
---@field reply connectly.sandbox.reply|nil
---@field name string|nil  name of the fault

local entries, by_number, by_template = {}, {}, {}

local function add(entry)
  entries[#entries + 1] = entry
  by_number[entry.number], by_template[entry.template] = entry, entry
end

local function number(offset)
  return ("+1500555%04d"):format(offset)
end

local function suffix(code)
  return code:gsub("^ERROR_CODE_", ""):lower()
end

for index, code in ipairs(codes) do
  add({ number = number(index), template = "refuse_" .. suffix(code), refuses = code,
    does = "400 " .. code })
end
for index, code in ipairs(codes) do
  add({ number = number(100 + index), template = "fail_" .. suffix(code),
    reply = { fate = { fails = code } }, does = "accepted, then delivery_failed with " .. code })
end
for index, fault in ipairs(faults.all) do
  add({ number = number(200 + index), template = "fault_" .. fault[1], reply = fault[3],
    name = fault[1], does = fault[2] })
end

local magic = { codes = codes, entries = entries }

--- Returns the entry for a message: by recipient first, then by template.
---@param recipient string|nil
---@param template string|nil
---@return connectly.sandbox.magic.entry?
function magic.find(recipient, template)
  return by_number[recipient or ""] or by_template[template or ""]
end

---@param recipient string
---@return boolean
function magic.is_number(recipient)
  return by_number[recipient] ~= nil
end

---@param template string
---@return boolean
function magic.is_template(template)
  return by_template[template] ~= nil
end

--- Formats the table for display, one line for each entry.
---@return string
function magic.text()
  local lines = {}
  for index, entry in ipairs(entries) do
    lines[index] = ("%-13s %-53s %s"):format(entry.number, entry.template, entry.does)
  end
  return table.concat(lines, "\n")
end

return magic
