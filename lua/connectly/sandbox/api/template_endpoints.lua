--- Creating and listing templates. API: templates.
---
--- A new template is pending until POST /_sandbox/review. Templates whose names begin with
--- instant_ are approved at once, those with rejected_ are rejected, and those with
--- deleted_ are refused with ERROR_CODE_MESSAGE_TEMPLATE_DELETED.

local answer = require "connectly.sandbox.http.answer"
local endpoint = require "connectly.sandbox.api.endpoint"
local groups = require "connectly.sandbox.api.template_groups"
local json = require "connectly.sandbox.http.json"
local problem = require "connectly.sandbox.http.problem"
local shape = require "connectly.sandbox.check.shape"

local text, list, object = shape.text, shape.list, shape.object

local most_templates = 10000

local prefix = "MESSAGE_TEMPLATE_GROUP_CATEGORY_"

local function matching(pattern, what)
  return function(value, path)
    local matches = type(value) == "string" and #value <= 512 and value:find(pattern)
    return not matches and ("%s: %s expected"):format(path, what) or nil
  end
end

local create_shape = object({
  { "name", matching("^[a-z0-9_]+$", "lower-case letters, digits and underscores"), "required" },
  { "language", object({ { "code", text(20, 2), "required" } }), "required" },
  { "category", shape.one_of({ prefix .. "MARKETING", prefix .. "UTILITY", prefix .. "AUTHENTICATION" }),
    "required" },
  { "template_components", list(object({}), 1, 100), "required" },
})

local function first_status(name)
  if name:find("^instant_") then
    return "APPROVED"
  elseif name:find("^rejected_") then
    return "REJECTED", "INVALID_FORMAT"
  end
  return "PENDING"
end

local function refusal_of(store, body)
  if body.name:find("^deleted_") then
    return problem.new("ERROR_CODE_MESSAGE_TEMPLATE_DELETED", "the language is being deleted")
  elseif store.catalogue:find(body.name, body.language.code) then
    return problem.with_status(400, ("template %q exists in this language"):format(body.name))
  elseif store.catalogue.count >= most_templates then
    return problem.with_status(400, "the sandbox holds no more templates")
  end
end

local function complete(template, request, body)
  template.name, template.language = body.name, body.language.code
  template.category = body.category:sub(#prefix + 1)
  template.components = json.raw_member(request.body, "template_components")
  template.status, template.reason = first_status(body.name)
end

local endpoints = {}

endpoints.create = endpoint.new({
  operation = "create_template",
  shape = create_shape,
  perform = function(sandbox, request, body)
    local template, complaint = groups.read(body.template_components)
    local refusal = complaint and problem.with_status(400, complaint) or refusal_of(sandbox.store, body)
    if refusal then
      return answer.problem(refusal)
    end
    complete(template, request, body)
    return answer.json({ entity = groups.describe({ sandbox.store.catalogue:add(template) }) })
  end,
})

endpoints.list = endpoint.new({
  operation = "list_templates",
  perform = function(sandbox)
    local all = json.array({})
    for index, group in ipairs(sandbox.store.catalogue:groups()) do
      all[index] = groups.describe(group)
    end
    return answer.json({ entity = { templateGroups = all } })
  end,
})

return endpoints
