--- Prints the lines of the report, and reads the environment.

local report = { default_base_url = "https://api.connectly.ai" }

-- With a line of one of these statuses, no message can be sent.
local is_fatal = { missing = true, wrong = true }

--- Prints one line of the report.
function report.say(doctor, status, name, text)
  print(("%-8s %-13s %s"):format(status, name, text))
  if is_fatal[status] then
    doctor.is_fit = false
  end
end

--- Returns an environment variable; nil if it is empty, as in the library.
function report.environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

function report.first_line(problem)
  return (tostring(problem):match("^[^\n]*"):gsub("^connectly: ", ""))
end

function report.base_url()
  return report.environment "CONNECTLY_BASE_URL" or report.default_base_url
end

function report.uses_tls()
  return not report.base_url():lower():find("^http://")
end

return report
