-- Checks texts for what WhatsApp is known to refuse. Its rules change, and the API's pages state
-- few of them, so these checks only warn.

local HEADER_MAX, BODY_MAX, CARD_BODY_MAX = 60, 1024, 160 -- characters

--- Returns the number of characters of valid UTF-8.
local function length_of(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function check_value(notes, value)
  if value.value == "" then
    notes:warn(value.path, "empty: WhatsApp refuses an empty parameter")
  elseif value.value:find("[\n\t]") or value.value:find("     ", 1, true) then
    notes:warn(value.path, "WhatsApp may refuse new lines, tabs and more than four blanks in a row")
  end
end

local function check_length(notes, path, text, most)
  local length = text and length_of(text) or 0
  if length > most then
    notes:warn(path, ("%d characters with its variables filled in, WhatsApp takes %d"):format(length, most))
  end
end

---@param notes table of connectly.template.notes
---@param message connectly.template.Message
---@param preview connectly.TemplatePreview
return function(notes, message, preview)
  for _, value in ipairs(message.values) do
    check_value(notes, value)
  end
  check_length(notes, "header", preview.header and preview.header.text, HEADER_MAX)
  check_length(notes, "body", preview.body, BODY_MAX)
  for index, card in ipairs(preview.cards or {}) do
    check_length(notes, ("cards[%d].body"):format(index), card.body, CARD_BODY_MAX)
  end
end
