-- Compares a message with its template's parts.

local compare_buttons = require "connectly.template.compare_buttons"
local compare_header = require "connectly.template.compare_header"
local fields = require "connectly.template.fields"
local variables = require "connectly.template.variables"

local UNKNOWN_PARTS = "the template has parts that are not known here"

local function sorted_numbers(set)
  local numbers = {}
  for number in next, set do
    numbers[#numbers + 1] = number
  end
  table.sort(numbers)
  return numbers
end

---- body

local function tally(there, given)
  return ("the template has %d body variable%s, %s given"):format(
    there, there == 1 and "" or "s", given == 0 and "none was" or given == 1 and "1 was" or given .. " were")
end

local function check_numbers(notes, found, given, path)
  local numbers = sorted_numbers(given)
  local counts = tally(#found.numbers, #numbers)
  for _, number in ipairs(found.numbers) do
    if not given[number] then
      notes:missing(path(number), "missing: " .. counts)
    end
  end
  for _, number in ipairs(numbers) do
    if not found.is_there[number] then
      notes:problem(given[number].path, counts)
    end
  end
end

local function compare_body(notes, parts, given, place)
  local body = parts.body
  -- A card may lack a body; a template always has one.
  if not body and parts.is_card and not parts.has_unknown then
    body = { text = "" }
  end
  if not body or not body.text then
    return notes:cannot_tell(place.name, "the template's body could not be read")
  end
  local found = variables.find(body.text)
  notes:named_variables(place.name, "the template's body", found.names)
  check_numbers(notes, found, given, place.path)
end

---- cards

local NO_CARD = { header = {}, body = {}, buttons = {} }

-- The API documents no parameter for a card's video.
local CARD_SENDS = { image = true }

local function compare_card(notes, parts, message, index)
  local given = message.cards[index] or NO_CARD
  local wire, short = ("card.%d."):format(index - 1), ("cards[%d]."):format(index)
  local function path(wire_rest, short_rest)
    return message.path(wire .. wire_rest, short .. short_rest)
  end
  compare_header(notes, parts, given.header, {
    name = short .. "header", sends = CARD_SENDS,
    path = function(kind) return path("header." .. kind, "header." .. kind) end,
  })
  compare_body(notes, parts, given.body, {
    name = short .. "body",
    path = function(number) return path("body." .. number - 1, ("body[%d]"):format(number)) end,
  })
  compare_buttons(notes, parts, given.buttons, function(number)
    return path(("button.%d.urlSuffix"):format(number - 1), ("buttons[%d]"):format(number))
  end)
  if parts.has_unknown then
    notes:cannot_tell(("cards[%d]"):format(index), "the template's card has parts that are not known here")
  end
end

local function describe_cards(cards)
  if not cards then
    return "the template is no carousel"
  end
  return ("the template has %d card%s"):format(#cards, #cards == 1 and "" or "s")
end

local function compare_cards(notes, parts, message)
  local cards = parts.cards or {}
  for index, card in ipairs(cards) do
    compare_card(notes, card, message, index)
  end
  for _, index in ipairs(sorted_numbers(message.cards)) do
    local path = ("cards[%d]"):format(index)
    if not cards[index] and parts.has_unknown then
      notes:cannot_tell(path, UNKNOWN_PARTS)
    elseif not cards[index] then
      notes:problem(path, describe_cards(parts.cards))
    end
  end
end

---- the whole message

---@param notes table of connectly.template.notes
---@param parts connectly.template.Parts
---@param message connectly.template.Message
return function(notes, parts, message)
  local function path(wire, short)
    return function(which) return message.path(wire:format(which), short:format(which)) end
  end
  compare_header(notes, parts, message.header, {
    name = "header", sends = fields.sends, path = path("header_%s", "header.%s"),
  })
  compare_body(notes, parts, message.body, { name = "body", path = path("body_%d", "body[%d]") })
  compare_buttons(notes, parts, message.buttons, path("button_%d_url_suffix", "buttons[%d]"))
  compare_cards(notes, parts, message)
  if parts.has_unknown then
    notes:cannot_tell(message.name_path, UNKNOWN_PARTS)
  end
end
