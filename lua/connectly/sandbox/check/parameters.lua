--- Checks template parameters against a template. API: template message.

local native = require "connectly.loader"
local problem = require "connectly.sandbox.http.problem"
local shape = require "connectly.sandbox.check.shape"

local function is_url(value)
  return not shape.is_url(value) and "a public http or https address expected" or nil
end

local function text_check(most)
  local checker = shape.text(most, 1)
  return function(value)
    local complaint = checker(value, "")
    return complaint and complaint:gsub("^: ", "") or nil
  end
end

local text = text_check(1024)

-- Every header parameter that core's tables have.
local header_checks = {}
for _, param in ipairs(native.params()) do
  local kind = param.name:match("^header_(%l+)$")
  if kind then
    header_checks[kind] = param.type == "url" and is_url or text_check(60)
  end
end

--- The parameters of a template: name -> check; required and optional ones apart.
local function new_wanted()
  return { required = {}, optional = {} }
end

local function want_header(wanted, template)
  local kind = template.header
  if kind == "any" then
    for each, check in pairs(header_checks) do
      wanted.optional["header_" .. each] = check
    end
  elseif kind and kind ~= "none" then
    wanted.required["header_" .. kind] = header_checks[kind]
  end
end

local function want_each(wanted, pattern, first, count)
  for index = first, first + (count or 0) - 1 do
    wanted.required[pattern:format(index)] = text
  end
end

local function want_buttons(wanted, template)
  local buttons = template.buttons
  if type(buttons) == "table" then
    for _, position in ipairs(buttons) do
      want_each(wanted, "button_%d_url_suffix", math.floor(position), 1)
    end
  else
    want_each(wanted, "button_%d_url_suffix", 1, buttons)
  end
end

--- Parameter names of a carousel count from 0, all others from 1.
local function want_card(wanted, card, index)
  local prefix = ("card.%d."):format(index)
  if card.header and card.header ~= "none" then
    wanted.required[prefix .. "header." .. card.header] = is_url
  end
  want_each(wanted, prefix .. "body.%d", 0, card.body)
  want_each(wanted, prefix .. "button.%d.urlSuffix", 0, card.buttons)
end

local function wanted_by(template)
  local wanted = new_wanted()
  want_header(wanted, template)
  want_each(wanted, "body_%d", 1, template.body)
  want_buttons(wanted, template)
  for index, card in ipairs(template.cards or {}) do
    want_card(wanted, card, index - 1)
  end
  return wanted
end

local function check_given(given, wanted, seen)
  local check = wanted.required[given.name] or wanted.optional[given.name]
  if not check then
    return ("the template has no parameter %q"):format(given.name)
  elseif seen[given.name] then
    return ("parameter %q is given twice"):format(given.name)
  end
  seen[given.name] = true
  local complaint = check(given.value)
  return complaint and ("parameter %q: %s"):format(given.name, complaint)
end

local function check_all_given(given, wanted, seen)
  for _, each in ipairs(given) do
    local complaint = check_given(each, wanted, seen)
    if complaint then
      return complaint
    end
  end
end

local function missing(wanted, seen)
  local names = {}
  for name in pairs(wanted.required) do
    if not seen[name] then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names[1] and "missing: " .. table.concat(names, ", ")
end

local function too_many_headers(wanted, seen)
  local count = 0
  for name in pairs(wanted.optional) do
    count = count + (seen[name] and 1 or 0)
  end
  return count > 1 and "more than one header is given" or nil
end

local parameters = {}

---@param given table[]  { name, value, filename }
---@param template connectly.sandbox.template
---@return connectly.sandbox.problem?
function parameters.check(given, template)
  local wanted, seen = wanted_by(template), {}
  local complaint = check_all_given(given, wanted, seen)
    or missing(wanted, seen)
    or too_many_headers(wanted, seen)
  return complaint
    and problem.new("ERROR_CODE_MESSAGE_TEMPLATE_INPUT_INVALID",
      ("template %s: %s"):format(template.name, complaint))
    or nil
end

return parameters
