-- Checks a template message before sending it, and shows what the customer would see.
-- It sends nothing and makes no request: the list of templates was saved earlier.
--
--   lua examples/check_template.lua
--
-- `client:check_template(message)` does the same with the list from the API, which
-- it caches for five minutes.

local template = require "connectly.template"

-- In your own program: the return value of client:list_templates(), read from a file.
local list = { entity = { templateGroups = { {
  name = "order_shipped", category = "UTILITY",
  templates = { {
    language = { code = "en" }, status = "MESSAGE_TEMPLATE_STATUS_APPROVED",
    templateComponents = {
      { body = { text = { text = "Hi {{1}}, order {{2}} left our store." } } },
      { footer = { text = { text = "Example Shop" } } },
      { button = { quickReply = { text = "Thanks" } } },
    },
  } },
} } } }

local function show(title, message)
  local report = template.check(message, list)
  print(title .. (report.ok and ": it fits" or ": it does not fit"))
  for _, problem in ipairs(report.problems) do
    print(("  problem: %s: %s"):format(problem.param, problem.message))
  end
  -- Warnings name what the list alone cannot tell; it was not checked.
  for _, warning in ipairs(report.warnings) do
    print(("  warning: %s: %s"):format(warning.param, warning.message))
  end
  if report.preview then
    print("  preview: " .. report.preview.body)
  end
end

local number = "+16045550123"

show("An order", { number = number, template_name = "order_shipped", language = "en", body = { "Ana", "A-1" } })
show("One text too many", {
  number = number, template_name = "order_shipped", language = "en", body = { "Ana", "A-1", "today" },
})
show("A slip of the pen", { number = number, template_name = "order_shiped", language = "en", body = { "Ana", "A-1" } })
show("Another language", { number = number, template_name = "order_shipped", language = "pt_BR", body = { "Ana", "A-1" } })
