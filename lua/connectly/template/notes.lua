-- Collects the findings of a check: certain errors are problems; what the list does not let one
-- decide is a warning.

local fields = require "connectly.template.fields"

local methods = {}
local metatable = { __index = methods }

---@param param string path of the field, as the user wrote it
---@param message string must not contain values of the message: it may be logged
function methods:problem(param, message)
  self.problems[#self.problems + 1] = { param = param, message = message }
end

function methods:warn(param, message)
  self.warnings[#self.warnings + 1] = { param = param, message = message }
end

function methods:cannot_tell(param, message)
  self:warn(param, "cannot tell: " .. message)
end

--- Notes that something the template needs is missing. Only warns when the message has unknown
--- parameters, because one of them may be it.
function methods:missing(param, message)
  if self.has_other then
    self:cannot_tell(param, message .. ", but there are parameters that the API's pages do not name")
  else
    self:problem(param, message)
  end
end

--- Notes variables with a name, {{like_this}}.
function methods:named_variables(param, what, names)
  for _, name in ipairs(names) do
    self:missing(param, ("%s has the variable {{%s}}: the API documents no parameter for a name"):format(
      what, fields.plain(name)))
  end
end

---@param report connectly.TemplateReport receives the findings
---@param message connectly.template.Message
return function(report, message)
  return setmetatable({
    problems = report.problems, warnings = report.warnings, has_other = message.has_other,
  }, metatable)
end
