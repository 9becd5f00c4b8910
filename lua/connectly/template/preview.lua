-- Builds a preview of what the customer would see. It contains the user's texts: it is returned to
-- the caller and must not be logged.

local variables = require "connectly.template.variables"

---@class connectly.TemplatePreview
---@field header {kind: string, text: string?, url: string?, filename: string?}?
---@field body string? variables without a value are left as they are
---@field footer string?
---@field buttons {kind: string, text: string?, url: string?, phone: string?}[]
---@field cards connectly.TemplatePreview[]? of a carousel

local function fill(text, values)
  return text and variables.fill(text, function(number)
    return values[number] and values[number].value
  end)
end

local function show_header(header, given)
  if not header then
    return nil
  end
  if header.kind == "text" then
    -- A header has at most one variable, whatever its number.
    return { kind = "text", text = header.text and variables.fill(header.text, function()
      return given.text and given.text.value
    end) }
  end
  local media = given[header.kind]
  return { kind = header.kind, url = media and media.value, filename = media and media.filename }
end

local function show_url(url, given)
  if not given or given.is_whole then
    return given and given.value or url
  end
  if url and not variables.has_any(url) then
    return url .. given.value
  end
  return url and variables.fill(url, function() return given.value end)
end

local function show_buttons(buttons, given)
  local shown = {}
  for index, button in ipairs(buttons) do
    shown[index] = { kind = button.kind, text = button.text, phone = button.phone }
    if button.kind == "url" then
      shown[index].url = show_url(button.url, given[index])
    end
  end
  return shown
end

local NOTHING = { header = {}, body = {}, buttons = {}, cards = {} }

local function show(parts, given)
  local shown = {
    header = show_header(parts.header, given.header), body = fill(parts.body and parts.body.text, given.body),
    footer = parts.footer, buttons = show_buttons(parts.buttons, given.buttons),
  }
  for index, card in ipairs(parts.cards or {}) do
    shown.cards = shown.cards or {}
    shown.cards[index] = show(card, given.cards[index] or NOTHING)
  end
  return shown
end

---@param parts connectly.template.Parts
---@param message connectly.template.Message
---@return connectly.TemplatePreview
return show
