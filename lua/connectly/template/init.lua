---Checks before sending whether a message fits its template, and shows what the customer
---would see. client:check_template fetches the list of templates from the API; this module
---works on a saved list:
---
---  local template = require "connectly.template"
---  local report = template.check(message, list)
---  for _, problem in ipairs(report.problems) do print(problem.param, problem.message) end
---
---This module sends nothing, and no send method calls it.

local checks = require "connectly.options"
local compare = require "connectly.template.compare"
local components = require "connectly.template.components"
local fields = require "connectly.template.fields"
local limits = require "connectly.template.limits"
local lists = require "connectly.template.list"
local messages = require "connectly.template.message"
local new_notes = require "connectly.template.notes"
local preview = require "connectly.template.preview"

---@class connectly.TemplateReport
---@field ok boolean no problem was found; `warnings` lists what could not be checked
---@field problems {param: string, message: string}[] reasons why the API would refuse the message or not deliver it
---@field warnings {param: string, message: string}[] what could not be checked, and what WhatsApp may refuse
---@field template {id: string?, name: string, language: string, status: string?, category: string?, rejection_reason: string?}?
---@field preview connectly.TemplatePreview? contains the message's texts: do not log it

---@class connectly.TemplateCheckOptions
---@field templates table? a saved list to use instead of the API's
---@field max_age number? seconds for which a fetched list may be reused; default 300
---@field refresh boolean? always fetch the list again

local CATEGORY_PREFIX = "MESSAGE_TEMPLATE_GROUP_CATEGORY_"

-- Statuses in which a template cannot be sent. The set of statuses is open.
local NOT_SENDABLE = { PENDING = true, REJECTED = true, PAUSED = true, DISABLED = true }

local template = {}

local function new_report(problems)
  return { ok = #problems == 0, problems = problems, warnings = {} }
end

local function describe(found)
  local own, group, external = found.template, found.group, fields.external(found.template)
  local reason = fields.text(own, "rejectionReason", "rejection_reason")
    or fields.text(external, "rejectedReason", "rejected_reason")
  return {
    id = fields.text(own, "id"), name = found.name, language = found.language, status = fields.text(own, "status"),
    category = fields.text(own, "category") or fields.text(group, "category") or fields.text(external, "category"),
    -- WhatsApp writes "NONE" when there is no reason.
    rejection_reason = reason ~= "NONE" and reason or nil,
  }
end

local function check_status(notes, described, path)
  local status = fields.status(described)
  if not status then
    notes:cannot_tell(path, "the list does not say whether the template is approved")
  elseif NOT_SENDABLE[status] then
    local reason = described.rejection_reason
    notes:problem(path, ("the template is %s, not approved%s"):format(
      status:lower(), reason and ": " .. fields.plain(reason) or ""))
  elseif status ~= "APPROVED" then
    notes:cannot_tell(path, "the template's status is " .. fields.plain(status))
  end
end

local function check_recipient(notes, described, message)
  local category = fields.constant(described.category, CATEGORY_PREFIX)
  if category == "AUTHENTICATION" and message.number:find("^bsuid:") then
    notes:problem("number", "an authentication template needs a telephone number")
  end
end

--- Returns the template; or nil after noting why there is none.
local function find(notes, message, list)
  local found = lists.find(list, message.template_name, message.language)
  if not found then
    notes:problem("templates", "no list of templates: what get/templates answers is expected")
    return nil
  elseif found.template then
    return found
  end
  local field, explanation = lists.explain(found, message.template_name)
  notes:problem(field == "name" and message.name_path or field, explanation)
  return nil
end

local function check_found(report, notes, message, found)
  report.template = describe(found)
  check_status(notes, report.template, message.name_path)
  check_recipient(notes, report.template, message)
  local parts = components.read(found.template)
  compare(notes, parts, message)
  report.preview = preview(parts, message)
  limits(notes, message, report.preview)
end

--- `get_list` returns the list, or nil and an error; it is called only when the list is needed.
local function check_with(message, get_list)
  local read, problems = messages.read(message)
  if not read then
    return new_report(problems)
  end
  local list, err = get_list()
  if list == nil then
    return nil, err
  end
  local report = new_report {}
  local notes = new_notes(report, read)
  local found = find(notes, read, list)
  if found then
    check_found(report, notes, read, found)
  end
  report.ok = #report.problems == 0
  return report
end

local KNOWN = { { "templates", "table" }, { "max_age", "number" }, { "refresh", "boolean" } }

--- Wrong options are misuse of the library: connectly and connectly.safe both raise them.
local function check_options(options, level)
  local name, problem = checks.fault(options, KNOWN)
  if name then
    error(("connectly: check_template: %s: %s"):format(name, problem), level)
  end
  local max_age = options.max_age or 0
  if max_age ~= max_age or max_age < 0 then
    error("connectly: check_template: max_age: seconds from 0 expected", level)
  end
end

---Checks a message against a list of templates: the value that client:list_templates
---returned, or its `templateGroups`, as a table or as decoded JSON. Accepts every form of
---message that client:send_template accepts; what that would refuse is reported among the
---problems. API: get templates, template message.
---@param message table
---@param list table
---@return connectly.TemplateReport report
function template.check(message, list)
  if type(list) ~= "table" then
    error("connectly: template.check: a list of templates expected, got " .. type(list), 2)
  end
  return (check_with(message, function() return list end))
end

--- Implements client:check_template; `source` is of connectly.template.source.
---@param message table
---@param options connectly.TemplateCheckOptions?
---@param level integer the level at which an error of the options is raised
---@return connectly.TemplateReport? report
---@return connectly.Error?
function template.check_for(source, message, options, level)
  options = options == nil and {} or options
  check_options(options, level + 1)
  return check_with(message, function()
    if options.templates then
      return options.templates
    end
    return source(options)
  end)
end

return template
