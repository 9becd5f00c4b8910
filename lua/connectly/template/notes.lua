-- What a check has to say: what is surely wrong is a problem; where the list does
-- not say enough, a warning.

local fields = require "connectly.template.fields"

local methods = {}
local metatable = { __index = methods }

---@param param string the field it is about, as the user wrote it
---@param message string never a value of the message: it may be logged
function methods:problem(param, message)
  self.problems[#self.problems + 1] = { param = param, message = message }
end

function methods:warn(param, message)
  self.warnings[#self.warnings + 1] = { param = param, message = message }
end

function methods:cannot_tell(param, message)
  self:warn(param, "cannot tell: " .. message)
end

--- Something that the template needs and that is not there. A parameter whose name
--- is not known may be it.
function methods:missing(param, message)
  if self.has_other then
    self:cannot_tell(param, message .. ", but there are parameters that the API's pages do not name")
  else
    self:problem(param, message)
  end
end

--- Variables with a name, {{like_this}}.
function methods:named_variables(param, what, names)
  for _, name in ipairs(names) do
    self:missing(param, ("%s has the variable {{%s}}: the API documents no parameter for a name"):format(
      what, fields.plain(name)))
  end
end

---@param report connectly.TemplateReport what is said goes into it
---@param message connectly.template.Message
return function(report, message)
  return setmetatable({
    problems = report.problems, warnings = report.warnings, has_other = message.has_other,
  }, metatable)
end
