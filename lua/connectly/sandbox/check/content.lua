--- Checks the content of a session message: exactly one kind, within its limits.
--- API: session message, session and interactive limits.

local problem = require "connectly.sandbox.http.problem"
local shape = require "connectly.sandbox.check.shape"

local text, list, object = shape.text, shape.list, shape.object

local footer = object({ { "text", text(60, 1), "required" } })

local attachment = object({
  { "type", text(), "required" },
  { "url", text() },
  { "caption", text(1024) },
  { "filename", text() },
})

local header = object({ { "text", text(60, 1) }, { "attachment", attachment } })

local row = object({
  { "id", text(200, 1), "required" },
  { "text", text(24, 1), "required" },
  { "description", text(72) },
})

local section = object({ { "title", text(24) }, { "rows", list(row, 1, 10), "required" } })

local reply_button = object({
  { "id", text(256, 1), "required" },
  { "text", text(20, 1), "required" },
})

local product = object({ { "productRetailerId", text(nil, 1), "required" } })

local product_section = object({ { "title", text(24) }, { "productItems", list(product, 1, 30) } })

local shapes = {
  attachments = list(attachment),
  location = object({
    { "latitude", shape.number(-90, 90), "required" },
    { "longitude", shape.number(-180, 180), "required" },
    { "name", text() },
    { "address", text() },
  }),
  listMessage = object({
    { "header", header },
    { "footer", footer },
    { "button", object({ { "text", text(20, 1), "required" } }), "required" },
    { "sections", list(section, 1, 10), "required" },
  }),
  replyButtonMessage = object({
    { "header", header },
    { "footer", footer },
    { "buttons", list(reply_button, 1, 3), "required" },
  }),
  singleProductMessage = object({
    { "footer", footer },
    { "catalogId", text() },
    { "productItem", product, "required" },
  }),
  -- The end of its documentation page is unreadable, so no member is required.
  multiProductMessage = object({
    { "header", header },
    { "footer", footer },
    { "catalogId", text() },
    { "sections", list(product_section, 1, 10) },
  }),
}

local kinds = {
  "attachments", "location", "listMessage", "replyButtonMessage",
  "singleProductMessage", "multiProductMessage",
}

local attachment_types = { image = true, video = true, audio = true, document = true }

--- Whether each kind of content takes a text beside it; kinds not listed take none.
local text_beside = {
  listMessage = "required",
  replyButtonMessage = "required",
  multiProductMessage = "required",
  singleProductMessage = "optional",
}

local longest_text = { replyButtonMessage = 1024 }

local function malformed(message)
  return message and problem.with_status(400, message)
end

local function check_attachment(value, path)
  if not attachment_types[value.type] then
    return malformed(path .. ".type: image, video, audio or document expected")
  elseif value.url == nil or value.url == "" then
    return problem.new("ERROR_CODE_MESSAGE_ATTACHMENT_EMPTY", path .. ".url: empty")
  elseif not shape.is_url(value.url) then
    return problem.new("ERROR_CODE_MESSAGE_ATTACHMENT_INVALID", path .. ".url: cannot be parsed")
  end
end

local function check_header(content, path)
  local beside = content.header and content.header.attachment
  return beside and check_attachment(beside, path .. ".header.attachment")
end

local function repeated_id(items, seen)
  for _, item in ipairs(items) do
    if seen[item.id] then
      return item.id
    end
    seen[item.id] = true
  end
end

local function check_sections(sections)
  local rows, seen = 0, {}
  for _, each in ipairs(sections) do
    rows = rows + #each.rows
    local repeated = repeated_id(each.rows, seen)
    if repeated then
      return malformed(("message.listMessage: two rows have the id %q"):format(repeated))
    elseif #sections > 1 and (each.title or "") == "" then
      return malformed("message.listMessage.sections: each needs a title when there are several")
    end
  end
  return rows > 10 and malformed(("message.listMessage: %d rows, 10 allowed"):format(rows)) or nil
end

local further_checks = {
  attachments = function(attachments)
    if #attachments ~= 1 then
      return problem.new("ERROR_CODE_MESSAGE_ATTACHMENTS_NUMBER_INVALID",
        ("message.attachments: %d given, exactly 1 allowed"):format(#attachments))
    end
    return check_attachment(attachments[1], "message.attachments[0]")
  end,
  listMessage = function(content)
    return check_sections(content.sections) or check_header(content, "message.listMessage")
  end,
  replyButtonMessage = function(content)
    local repeated = repeated_id(content.buttons, {})
    if repeated then
      return malformed(("message.replyButtonMessage: two buttons have the id %q"):format(repeated))
    end
    return check_header(content, "message.replyButtonMessage")
  end,
  multiProductMessage = function(content)
    return check_header(content, "message.multiProductMessage")
  end,
}

local function given_kinds(message)
  local given = {}
  for _, kind in ipairs(kinds) do
    if message[kind] ~= nil then
      given[#given + 1] = kind
    end
  end
  return given
end

local function check_text(message, kind)
  if message.text == "" then
    return problem.new("ERROR_CODE_MESSAGE_TEXT_EMPTY", "message.text: empty")
  end
  return malformed(shape.text(longest_text[kind] or 4096)(message.text, "message.text"))
end

local function check_text_beside(message, kind)
  if message.text == nil then
    return text_beside[kind] == "required"
      and problem.new("ERROR_CODE_MESSAGE_TEXT_EMPTY", "message.text: required with " .. kind)
      or nil
  elseif text_beside[kind] then
    return check_text(message, kind)
  end
  return malformed(("message: exactly one content type allowed, got text and %s"):format(kind))
end

local content = {}

---@param message table
---@return connectly.sandbox.problem?
function content.check(message)
  local given = given_kinds(message)
  if #given > 1 then
    return malformed("message: exactly one content type allowed, got " .. table.concat(given, ", "))
  end
  local kind = given[1]
  if kind == nil then
    return message.text and check_text(message)
      or not message.text and malformed("message: a content type is required") or nil
  end
  local further_check = further_checks[kind]
  return check_text_beside(message, kind)
    or malformed(shapes[kind](message[kind], "message." .. kind))
    or (further_check and further_check(message[kind]))
end

return content
