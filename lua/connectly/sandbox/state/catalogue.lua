--- The templates, including those pending review.

local magic = require "connectly.sandbox.state.magic"

---@class connectly.sandbox.catalogue
---@field count integer
local catalogue = {}
catalogue.__index = catalogue

---@param new_id fun(): string
---@param now fun(): number  Unix seconds
---@return connectly.sandbox.catalogue
function catalogue.new(new_id, now)
  return setmetatable({ new_id = new_id, now = now, templates = {}, count = 0 }, catalogue)
end

local function template_key(name, language)
  return name .. "\0" .. language
end

--- Stores a copy, so that a reset restores the original template.
---@param template connectly.sandbox.template
---@return connectly.sandbox.template added
function catalogue:add(template)
  local added = { id = self.new_id(), created_at = self.now() }
  for key, value in pairs(template) do
    added[key] = value
  end
  local key = template_key(template.name, template.language)
  self.count = self.count + (self.templates[key] and 0 or 1)
  self.templates[key] = added
  return added
end

local function by_name_and_language(one, other)
  return template_key(one.name, one.language) < template_key(other.name, other.language)
end

--- Returns all templates, grouped by name.
---@return connectly.sandbox.template[][]
function catalogue:groups()
  local all, groups = {}, {}
  for _, template in pairs(self.templates) do
    all[#all + 1] = template
  end
  table.sort(all, by_name_and_language)
  for _, template in ipairs(all) do
    local group = groups[#groups]
    if group and group[1].name == template.name then
      group[#group + 1] = template
    else
      groups[#groups + 1] = { template }
    end
  end
  return groups
end

--- Sets the result of a review.
---@param decision { name: string, language: string?, status: string, reason: string? }
---@return boolean found
function catalogue:review(decision)
  local found = false
  for _, template in pairs(self.templates) do
    if template.name == decision.name and template.language == (decision.language or template.language) then
      template.status, template.updated_at, found = decision.status:upper(), self.now(), true
      template.reason = decision.status == "rejected" and (decision.reason or "INVALID_FORMAT") or nil
    end
  end
  return found
end

---@param list connectly.sandbox.template[]
function catalogue:add_all(list)
  for _, template in ipairs(list) do
    self:add(template)
  end
end

--- Finds a template. Names that begin with any_ and magic names match a template that accepts
--- any parameters.
---@param name string
---@param language string
---@return connectly.sandbox.template?
function catalogue:find(name, language)
  if name:find("^any_") or magic.is_template(name) then
    return { name = name, language = language, anything = true }
  end
  return self.templates[template_key(name, language)]
end

return catalogue
