--- The messages that the benchmarks encode, in the documented wire form and in this library's
--- own form. About 570 and 720 bytes of JSON.

local messages = {}

local image = "https://cdn.example.com/images/orders/confirmation-%d.jpg"
local track = "track/0f8e4a62-%06d"

local function texts_of(seed)
  return {
    "Maria Oliveira", ("Order #%d"):format(98765 + seed), "Friday, 14 November", "between 09:00 and 12:00",
    "221B Baker Street, London NW1 6XE, please ring twice",
  }
end

local function named(list, name, value)
  list[#list + 1] = { name = name, value = value }
end

--- An order confirmation: an image, five texts, a button.
---@param seed integer
---@return table wire
---@return table friendly
function messages.order(seed)
  local number = ("+1604%07d"):format(4441234 + seed)
  local texts, parameters = texts_of(seed), {}
  named(parameters, "header_image", image:format(seed))
  for index, text in ipairs(texts) do
    named(parameters, "body_" .. index, text)
  end
  named(parameters, "button_1_url_suffix", track:format(seed))
  return {
    number = number, templateName = "order_confirmation_with_tracking", language = "en_US",
    parameters = parameters, campaignName = "november_orders",
  }, {
    number = number, template_name = "order_confirmation_with_tracking", language = "en_US",
    header = { image = image:format(seed) }, body = texts, buttons = { track:format(seed) },
    campaign_name = "november_orders",
  }
end

--- An order confirmation as a program would write it, in this library's own form;
--- built at little cost, for where building it is part of what is measured.
---@param seed integer
---@return table friendly
function messages.fresh(seed)
  return {
    number = "+16044441234", template_name = "order_confirmation_with_tracking", language = "en_US",
    header = { image = "https://cdn.example.com/images/orders/confirmation-" .. seed .. ".jpg" },
    body = {
      "Maria Oliveira", "Order #" .. seed, "Friday, 14 November", "between 09:00 and 12:00",
      "221B Baker Street, London NW1 6XE, ring twice, or leave it with the neighbours",
    },
    buttons = { "track/0f8e4a62-" .. seed }, campaign_name = "november_orders",
  }
end

--- The same in the documented wire form, as a program without this library builds it.
---@param seed integer
---@return table wire
function messages.fresh_wire(seed)
  return {
    number = "+16044441234", templateName = "order_confirmation_with_tracking", language = "en_US",
    parameters = {
      { name = "header_image", value = "https://cdn.example.com/images/orders/confirmation-" .. seed .. ".jpg" },
      { name = "body_1", value = "Maria Oliveira" },
      { name = "body_2", value = "Order #" .. seed },
      { name = "body_3", value = "Friday, 14 November" },
      { name = "body_4", value = "between 09:00 and 12:00" },
      { name = "body_5", value = "221B Baker Street, London NW1 6XE, ring twice, or leave it with the neighbours" },
      { name = "button_1_url_suffix", value = "track/0f8e4a62-" .. seed },
    },
    campaignName = "november_orders",
  }
end

local shelves = { "Boots", "Coats", "Scarves" }

local function add_card(parameters, cards, at, seed)
  local picture = ("https://cdn.example.com/shelves/%d/%d.jpg"):format(seed, at)
  local suffix = shelves[at]:lower() .. "?from=" .. seed
  local prefix = ("card.%d."):format(at - 1)
  named(parameters, prefix .. "header.image", picture)
  named(parameters, prefix .. "body.0", shelves[at])
  named(parameters, prefix .. "button.0.urlSuffix", suffix)
  cards[at] = { header = { image = picture }, body = { shelves[at] }, buttons = { suffix } }
end

--- A carousel: a text, and three cards of image, text and button.
---@param seed integer
---@return table wire
---@return table friendly
function messages.carousel(seed)
  local number = ("+1604%07d"):format(4441234 + seed)
  local parameters, cards = {}, {}
  named(parameters, "body_1", "Maria Oliveira")
  for at = 1, #shelves do
    add_card(parameters, cards, at, seed)
  end
  return {
    number = number, templateName = "winter_carousel", language = "en_US", parameters = parameters,
    campaignName = "winter",
  }, {
    number = number, template_name = "winter_carousel", language = "en_US", body = { "Maria Oliveira" },
    cards = cards, campaign_name = "winter",
  }
end

--- An iterator of so many fresh ones.
---@param count integer
---@return fun(): table?
function messages.source(count)
  local given = 0
  return function()
    given = given + 1
    return given <= count and messages.fresh(given) or nil
  end
end

return messages
