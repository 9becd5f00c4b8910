-- Finds a template in a list: a whole reply of get/templates, or its list of groups.
-- API: get templates.

local fields = require "connectly.template.fields"
local nearest = require "connectly.template.nearest"

local part, text = fields.part, fields.text

local NAMES_MAX = 10

--- Returns the groups of a list, or nil when the value is not a list of templates.
local function groups_of(list)
  if type(list) ~= "table" then
    return nil
  end
  local entity = part(list, "entity") or list
  local groups = part(entity, "templateGroups", "template_groups")
  if groups then
    return groups
  end
  -- A reply of create/template is a single group.
  return part(entity, "templates") and { entity } or (list[1] ~= nil or next(list) == nil) and list or nil
end

--- In older replies a group has no name; its id is the name.
local function name_of(group)
  return text(group, "name", "id")
end

local function language_of(template)
  local language = type(template) == "table" and template.language
  return type(language) == "string" and language or text(language or nil, "code")
end

--- When a language occurs twice, an approved translation takes precedence.
local function is_better(template, found)
  return fields.status(template) == "APPROVED" and fields.status(found) ~= "APPROVED"
end

local function add_language(result, template, group, wanted)
  local language = language_of(template)
  if not language then
    result.has_unreadable = true
    return
  end
  if not result.seen[language] then
    result.seen[language] = true
    result.languages[#result.languages + 1] = language
  end
  if language == wanted and (not result.template or is_better(template, result.template)) then
    result.template, result.group, result.language = template, group, language
  end
end

local function add_group(result, group, name, language)
  local group_name = name_of(group)
  if not group_name then
    result.has_unreadable = true
    return
  end
  result.names[#result.names + 1] = group_name
  if group_name ~= name then
    return
  end
  result.has_name = true
  local templates = part(group, "templates")
  result.has_unreadable = result.has_unreadable or not templates
  for _, template in ipairs(templates or {}) do
    add_language(result, template, group, language)
  end
end

local function quoted(names)
  local shown = {}
  for index = 1, math.min(#names, NAMES_MAX) do
    shown[index] = ("`%s`"):format(fields.plain(names[index]))
  end
  return table.concat(shown, ", ") .. (#names > NAMES_MAX and (" and %d more"):format(#names - NAMES_MAX) or "")
end

local list = {}

---@class connectly.template.Found
---@field template table? the translation
---@field group table? the group that holds the translation
---@field name string
---@field language string?
---@field has_name boolean the list has a template of this name
---@field has_unreadable boolean the list has entries that could not be read
---@field names string[] of all templates in the list
---@field languages string[] of the templates of this name

--- Tells whether a list holds any template.
---@param given any
---@return boolean
function list.has_any(given)
  for _, group in ipairs(groups_of(given) or {}) do
    if name_of(group) then
      return true
    end
  end
  return false
end

--- Finds a translation. Returns nil when the value is not a list of templates.
---@param given any
---@param name string
---@param language string
---@return connectly.template.Found?
function list.find(given, name, language)
  local groups = groups_of(given)
  if not groups then
    return nil
  end
  local result = { name = name, names = {}, languages = {}, seen = {}, has_name = false, has_unreadable = false }
  for _, group in ipairs(groups) do
    add_group(result, group, name, language)
  end
  table.sort(result.languages)
  return result
end

local UNREADABLE = " (not all of the list could be read)"

--- Explains why there is no template of this name. Does not show the name: it may be a misplaced
--- customer's number.
local function explain_name(found, name)
  if #found.names == 0 then
    return found.has_unreadable and "the list of templates could not be read" or "the list of templates is empty"
  end
  local near = nearest(name, found.names)
  return "no template has this name" .. (near[1] and "; did you mean " .. quoted(near) .. "?" or "")
    .. (found.has_unreadable and UNREADABLE or "")
end

local function explain_language(found)
  local languages = #found.languages > 0 and "it has " .. quoted(found.languages) or "it has no translations"
  return "the template is not there in this language: " .. languages .. (found.has_unreadable and UNREADABLE or "")
end

--- Explains why the template was not found: returns the wrong field and a message.
---@param found connectly.template.Found
---@param name string
---@return "language"|"name" field
---@return string message
function list.explain(found, name)
  if found.has_name then
    return "language", explain_language(found)
  end
  return "name", explain_name(found, name)
end

return list
