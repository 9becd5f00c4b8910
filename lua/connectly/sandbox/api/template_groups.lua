--- Converts templates to the form of the API's list, and from the form of a create request.
--- API: templates. The API's names for URL buttons and carousels are unknown; the sandbox
--- uses { button = { url } } and { carousel = { cards } }.

local json = require "connectly.sandbox.http.json"
local native = require "connectly.loader"
local templates = require "connectly.sandbox.state.templates"

local header_kinds = {} -- by the API's constants
for kind, constant in pairs(templates.media_types) do
  header_kinds[constant] = kind
end

local example_url = "https://files.example.com/example"

local function examples(count)
  local list = json.array({})
  for index = 1, count do
    list[index] = ("example %d"):format(index)
  end
  return list
end

local function text_of(template)
  if template.text then
    return template.text
  end
  local words = { "Text" }
  for index = 1, template.body or 0 do
    words[#words + 1] = ("{{%d}}"):format(index)
  end
  return table.concat(words, " ")
end

--- The header of a template that accepts any header is listed as an image.
local function header_component(kind)
  if kind == "text" then
    return { header = { text = { text = "About {{1}}", example = examples(1) } } }
  end
  local media = templates.media_types[kind] or templates.media_types.image
  return { header = { media = { type = media, example = json.array({ example_url }) } } }
end

local function url_button(position)
  local url = { text = "Open", url = "https://www.example.com/{{1}}", example = examples(1) }
  return { button = { url = url } }, position
end

local function suffix_positions(buttons)
  local positions, last = {}, 0
  for index = 1, type(buttons) == "table" and #buttons or buttons or 0 do
    local position = type(buttons) == "table" and buttons[index] or index
    positions[position], last = true, math.max(last, position)
  end
  return positions, last
end

--- Positions without a URL suffix become quick replies.
local function add_buttons(components, buttons)
  local positions, last = suffix_positions(buttons)
  for position = 1, last do
    components[#components + 1] = positions[position] and url_button()
      or { button = { quickReply = { text = "Thanks" } } }
  end
end

local components_of

local function carousel_component(cards)
  local all = json.array({})
  for index, card in ipairs(cards) do
    all[index] = { templateComponents = components_of(card) }
  end
  return { carousel = { cards = all } }
end

function components_of(template)
  local components = json.array({})
  if template.header and template.header ~= "none" then
    components[1] = header_component(template.header)
  end
  components[#components + 1] = {
    body = { text = { text = text_of(template), example = examples(template.body or 0) } },
  }
  add_buttons(components, template.buttons)
  if template.cards then
    components[#components + 1] = carousel_component(template.cards)
  end
  return components
end

local function describe(template)
  return {
    id = template.id,
    language = { code = template.language },
    status = "MESSAGE_TEMPLATE_STATUS_" .. (template.status or "APPROVED"),
    createdAt = native.datetime(template.created_at),
    updatedAt = native.datetime(template.updated_at or template.created_at),
    templateComponents = template.components and json.raw(template.components) or components_of(template),
    rejectionReason = template.reason or json.null,
  }
end

local groups = {}

--- Describes a template in all its languages.
---@param all connectly.sandbox.template[]  at least one
---@return table
function groups.describe(all)
  local first = all[1]
  local group = {
    id = "group_" .. first.name, name = first.name, category = first.category or "UTILITY",
    templates = json.array({}),
  }
  for index, template in ipairs(all) do
    group.templates[index] = describe(template)
  end
  return group
end

--- Counts the variables of a text; returns nil if they are not numbered from 1 without gaps.
local function count_variables(text)
  local seen, highest = {}, 0
  for digits in text:gmatch("{{(%d+)}}") do
    local position = tonumber(digits)
    seen[position], highest = true, math.max(highest, position)
  end
  for position = 1, math.min(highest, 1000) do
    if not seen[position] then
      return nil
    end
  end
  return highest <= templates.body_max and highest or nil
end

local function member(value, ...)
  for _, key in ipairs({ ... }) do
    value = type(value) == "table" and value[key] or nil
  end
  return value
end

local readers = {
  header = function(header, template)
    local kind, text = header_kinds[member(header, "media", "type")], member(header, "text", "text")
    local has_variable = type(text) == "string" and text:find("{{%d+}}")
    template.header = kind or has_variable and "text" or nil
    return not kind and type(text) ~= "string" and "header: text or media of a known type expected" or nil
  end,
  body = function(body, template)
    local text = member(body, "text", "text")
    template.text = type(text) == "string" and text or nil
    template.body = template.text and count_variables(template.text)
    return not template.body
      and ("body: text expected, with at most %d variables from {{1}} on"):format(templates.body_max) or nil
  end,
  button = function(button, template)
    template.button_count = template.button_count + 1
    local url = member(button, "url", "url")
    if type(url) == "string" and url:find("{{%d+}}") then
      table.insert(template.buttons, template.button_count)
    end
  end,
  carousel = function(_, template)
    template.anything = true -- the cards' structure is unknown, so parameters are not checked
  end,
}

local function read_component(component, template)
  local kind, content = next(component)
  if type(kind) ~= "string" or next(component, kind) ~= nil then
    return "an object with one member expected"
  end
  return readers[kind] and readers[kind](content, template)
end

--- Derives from the components which parameters a template takes.
---@param components table[]  decoded
---@return connectly.sandbox.template? template  without name and language
---@return string? complaint
function groups.read(components)
  local template = { buttons = {}, button_count = 0 }
  for index, component in ipairs(components) do
    local complaint = read_component(component, template)
    if complaint then
      return nil, ("template_components[%d]: %s"):format(index - 1, complaint)
    end
  end
  if not template.body then
    return nil, "template_components: a body is required"
  end
  return template
end

return groups
